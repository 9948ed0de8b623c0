import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCodecsOn } from '../fuzz/codec-run.ts'
import { contractOf } from '../fuzz/contract.ts'
import { type FuzzEdge, type FuzzEdges, openEdges, publishMadeUp } from '../fuzz/edge.ts'
import { judge } from '../fuzz/judge.ts'
import { type Known, learn } from '../fuzz/known.ts'
import { allowedGrowth, heldBy } from '../fuzz/memory.ts'
import { type Api, readApi } from '../fuzz/operations.ts'
import { attack, type Campaign, newCampaign } from '../fuzz/request-campaign.ts'
import { runRequests } from '../fuzz/request-run.ts'
import { Wire } from '../fuzz/wire.ts'

/** What `npm run test:fuzz` does at length, in short: the same requests and mutations in every run. */
const SEED = 7
const REQUESTS = 2000
const MUTATIONS = 60_000

let edges: FuzzEdges
let edge: FuzzEdge
let codecs: FuzzEdge
let faulty: FuzzEdge
let api: Api
let known: Known
beforeAll(async () => {
  edges = await openEdges()
  api = readApi()
  edge = await edges.start('direct')
  codecs = await edges.start('codecs')
  faulty = await edges.start('faulty')
  await publishMadeUp(edge)
  known = await learn(edge.url)
})
afterAll(() => edges?.close())

const unhurt = ({ lost, doubled, errors }: { lost: number; doubled: number; errors: number }): number => lost + doubled + errors

describe('requests that no client should send', () => {
  it('get an answer that is no 5xx, within a second, that repeats nothing of them and leaves nothing behind', async () => {
    const { rows, campaign, never, memory } = await runRequests(edge, SEED, REQUESTS)
    expect(campaign.failures).toEqual([])
    expect(rows.filter((row) => unhurt(row) > 0)).toEqual([])
    expect(rows.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThanOrEqual(REQUESTS)
    expect(memory.last.heap - memory.first.heap).toBeLessThan(memory.allowed)
    // A request that nothing gets through to says nothing of what lies behind.
    expect(never).toEqual([])
  })
})

describe('bytes that nobody wrote', () => {
  it('are refused, or are what they say: no reader breaks, hangs, or takes them for something else', async () => {
    const { failures, tallies } = await runCodecsOn(codecs, SEED, MUTATIONS)
    expect(failures).toEqual([])
    expect(tallies.length).toBeGreaterThan(25)
    for (const { name, refused, equal, read } of tallies) {
      expect(refused, `${name}: refused`).toBeGreaterThan(0)
      expect(equal + read, `${name}: taken`).toBeGreaterThan(0)
    }
  })

  it('would be taken for what was published without the hash, and a reader that throws is found', async () => {
    const broken = /^counter-test|without its hash$/
    const { tallies, failures } = await runCodecsOn(codecs, SEED, 2000, undefined, (name) => broken.test(name))
    expect(tallies.find(({ name }) => name === 'pack: core without its hash')?.wrong).toBeGreaterThan(0)
    expect(tallies.find(({ name }) => name === 'counter-test: throws')?.crashed).toBeGreaterThan(0)
    expect(failures).toHaveLength(2)
  })
})

describe('a Worker with faults', () => {
  const found = async (id: string, shrink = true): Promise<Campaign> => {
    const campaign = newCampaign()
    await attack(campaign, { url: faulty.url, api, known, seed: SEED, requests: 80, lanes: 1, only: new Set([id]), shrink })
    return campaign
  }

  it.each([
    ['rankItems', 'server-error', 'an error that is thrown'],
    ['flushEvents', 'server-error', 'a 503'],
    ['mintVisitor', 'echo', 'a body that comes back'],
    ['latest', 'unprotected', 'a header made of the query'],
    ['exportVisitor', 'unprotected', 'an answer that is HTML'],
    ['putItems', 'unprotected', 'an answer without security headers'],
  ])('is found out at %s: %s, %s', async (id, check) => {
    const { failures } = await found(id)
    expect(failures).toMatchObject([{ operation: id, finding: { check } }])
    expect(failures[0].command).toMatch(/curl|nc /)
    // Made as small as it gets: what is not needed for the fault is gone.
    expect(failures[0].command.length).toBeLessThan(600)
  })

  it('is found out where it sleeps', async () => {
    expect((await found('sendEvents', false)).failures).toMatchObject([{ operation: 'sendEvents', finding: { check: 'slow' } }])
  })

  it('is found out where it keeps what it should let go', async () => {
    const before = await heldBy(faulty)
    const wire = new Wire(faulty.url)
    const request = {
      method: 'GET',
      target: '/healthz',
      version: 'HTTP/1.1',
      headers: [],
      body: null,
      framing: { kind: 'length' as const },
    }
    for (let i = 0; i < 400; i++) await wire.send(request)
    wire.close()
    expect((await heldBy(faulty)).heap - before.heap).toBeGreaterThan(allowedGrowth(400))
  })

  it('is found out where it answers not at all, or twice', () => {
    const [operation] = api.operations
    const request = { method: 'GET', target: '/', version: 'HTTP/1.1', headers: [], body: null, framing: { kind: 'length' as const } }
    const drawn = { fault: 'values' as const, operation, request }
    const answer = { status: 200, head: '', headers: new Map(), body: Buffer.alloc(0), closes: false }
    expect(judge(contractOf(api), drawn, { answers: [], ms: 10_000, ended: 'silent' }, 'marker')?.check).toBe('no-answer')
    expect(judge(contractOf(api), drawn, { answers: [answer, answer], ms: 1, ended: 'answered' }, 'marker')?.check).toBe('two-answers')
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cpuMs } from '../../batch/edge-bench/runtime.ts'
import { runCodecsOn } from '../fuzz/codec-run.ts'
import { contractOf } from '../fuzz/contract.ts'
import { type FuzzEdge, type FuzzEdges, openEdges, publishMadeUp } from '../fuzz/edge.ts'
import { judge } from '../fuzz/judge.ts'
import { type Known, learn, WRITE_KEY } from '../fuzz/known.ts'
import { grown, heldBy } from '../fuzz/memory.ts'
import { type Api, readApi } from '../fuzz/operations.ts'
import { attack, type Campaign, newCampaign } from '../fuzz/request-campaign.ts'
import { runRequests } from '../fuzz/request-run.ts'
import { Wire } from '../fuzz/wire.ts'

/** What `npm run test:fuzz` does at length, in short: the same requests and mutations in every run. */
const SEED = 7
const REQUESTS = 4000
const MUTATIONS = 60_000
/** Requests of which each leaves 50 KB behind. */
const LEAKS = 1200

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
    const { rows, campaign, never } = await runRequests(edge, SEED, REQUESTS)
    expect(campaign.failures).toEqual([])
    expect(rows.filter((row) => unhurt(row) > 0)).toEqual([])
    expect(rows.map(({ fault }) => fault)).toContain('request: memory')
    expect(rows.reduce((sum, { tried }) => sum + tried, 0)).toBeGreaterThanOrEqual(REQUESTS)
    // A request that nothing gets through to says nothing of what lies behind.
    expect(never).toEqual([])
  })
})

it('a body in 10,000 pieces holds the isolate up no longer than it takes to read it', async () => {
  const wire = new Wire(edge.url)
  const body = Buffer.from(JSON.stringify({ writeKey: WRITE_KEY, events: [{ id: 'x'.repeat(9900), type: 'click' }] }))
  const before = cpuMs(edge.pid)
  const request = {
    method: 'POST',
    target: '/v1/events',
    version: 'HTTP/1.1',
    headers: [],
    body,
    framing: { kind: 'chunked' as const, size: 1 },
  }
  const { answers } = await wire.send(request)
  wire.close()
  expect(answers.map(({ status }) => status)).toEqual([202])
  // Piece by piece it took seconds of CPU, and everybody else waited.
  expect(cpuMs(edge.pid) - before).toBeLessThan(1000)
})

describe('a token that proves nothing', () => {
  const post = async (path: string, body: object): Promise<{ status: number; json: Record<string, unknown> }> => {
    const answer = await fetch(edge.url + path, {
      method: 'POST',
      body: JSON.stringify({ writeKey: WRITE_KEY, consent: 'granted', ...body }),
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const own = async (bearer: string, method = 'GET'): Promise<number> =>
    (await fetch(`${edge.url}/v1/visitors/me`, { method, headers: { authorization: `Bearer ${bearer}` } })).status
  /** The marks of a history: a cohort, and reasons that name what was clicked. */
  const isPersonal = ({ cohort, items }: Record<string, unknown>): boolean =>
    cohort !== null || /"(viewed|similar-to|bought-with)"/.test(JSON.stringify(items))

  it('opens nobody’s data, and brings no history, without being an error where visitors wait', async () => {
    const [visitor, other] = known.visitors
    const cut = [visitor.slice(0, -1), `${visitor}A`, visitor.replace('v1.', 'v2.'), known.identities[0].slice(0, -1)]
    for (const worthless of [...known.worthless, ...cut]) {
      expect([worthless, await own(worthless), await own(worthless, 'DELETE')]).toEqual([worthless, 401, 401])
      const asked = await post('/v1/recommendations', { visitor: worthless, token: known.memories[0] })
      expect([worthless, asked.status, isPersonal(asked.json)]).toEqual([worthless, 200, false])
      const sent = await post('/v1/events', { visitor: worthless, events: [{ id: 'worthless-0001', type: 'click', item: known.items[9] }] })
      expect([worthless, sent.status, sent.json.token]).toEqual([worthless, 202, undefined])
    }
    // A visitor without a past who shows another's memory token has still none; with their own, the other has.
    const { json } = await post('/v1/visitors', {})
    expect(isPersonal((await post('/v1/recommendations', { visitor: json.visitor, token: known.memories[1] })).json)).toBe(false)
    expect(isPersonal((await post('/v1/recommendations', { visitor: other, token: known.memories[1] })).json)).toBe(true)
    expect(await own(known.identities[0])).toBe(200)
  })

  it('opens nothing that is for admins', async () => {
    const asked = (bearer: string): Promise<Response> =>
      fetch(`${edge.url}/v1/admin/audit`, { headers: { authorization: `Bearer ${bearer}` } })
    for (const bearer of [
      ...known.worthless,
      ...known.visitors,
      ...known.identities,
      `${known.admins[0]} `.trim().slice(1),
      known.admins[0].toUpperCase(),
    ])
      expect([bearer, (await asked(bearer)).status]).toEqual([bearer, 401])
    expect((await asked(known.admins[0])).status).toBe(200)
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
    await attack(campaign, { url: faulty.url, api, known, seed: SEED, requests: 400, lanes: 1, only: new Set([id]), shrink })
    return campaign
  }

  it.each([
    ['rankItems', 'server-error', 'an error that is thrown'],
    ['flushEvents', 'server-error', 'a 503'],
    ['mintVisitor', 'echo', 'headers that come back in the body'],
    ['similarItems', 'undocumented', 'a field that the document does not have'],
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
    for (let i = 0; i < LEAKS; i++) await wire.send(request)
    wire.close()
    expect(grown(before, await heldBy(faulty), LEAKS)).toEqual(['isolate', 'process'])
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

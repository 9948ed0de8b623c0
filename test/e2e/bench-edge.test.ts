import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, type BenchEdge, openBench } from '../../batch/edge-bench/bench-edge.ts'
import { judge } from '../../batch/edge-bench/judge-answer.ts'
import { mustsOf } from '../../batch/edge-bench/load-verdict.ts'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import type { Row } from '../../batch/edge-bench/rows.ts'
import { scenarios } from '../../batch/edge-bench/scenarios.ts'
import { bringShoppers, itemsByPopularity } from '../../batch/edge-bench/shoppers.ts'
import { type LoadOptions, measureUnderLoad } from '../../batch/edge-bench/under-load.ts'
import { measureWarm } from '../../batch/edge-bench/warm.ts'
import { publish } from '../../batch/release/publish.ts'

let bench: Bench | undefined
let edge: BenchEdge | undefined
let rows: Row[] = []

beforeAll(async () => {
  bench = await openBench()
  edge = await bench.start()
  const { manifest, packs } = await madeUpRelease(2000, 1)
  await publish(edge.stores.kv, edge.stores.blobs, manifest, packs, Date.now())
  const items = await itemsByPopularity(edge.stores.kv, manifest)
  const shoppers = await bringShoppers(edge.url, items, 20)
  rows = await measureWarm(bench, edge, {
    scenarios,
    rounds: 1,
    seconds: 0.1,
    connections: [1, 2],
    shoppers,
    items,
    // How fast this machine is, and whether it is at rest, is no matter of a test.
    insist: false,
    advance: () => undefined,
  })
})

afterAll(async () => {
  await edge?.stop()
  bench?.close()
})

const figure = (scenario: string, metric: string, connections = 1): number | undefined =>
  rows.find((row) => row.scenario === scenario && row.metric === metric && row.connections === connections)?.value

it('tells every figure of every scenario at every number of connections, once', () => {
  for (const scenario of scenarios)
    for (const connections of [1, 2])
      for (const metric of ['rps', 'p50-ms', 'p90-ms', 'ratio-to-floor', 'cpu-ms', 'cpu-ms-beyond-floor'])
        expect(figure(scenario, metric, connections), `${scenario} ${metric}`).toSatisfy(Number.isFinite)
  const names = rows.map(({ scenario, connections, metric }) => `${scenario} ${connections} ${metric}`)
  expect(new Set(names).size).toBe(names.length)
  expect(figure('floor', 'ratio-to-floor')).toBe(1)
})

it('counts what each answer asks of storage: with a token nothing', () => {
  const operations = (scenario: string): (number | undefined)[] =>
    ['kv-ops', 'object-ops', 'r2-ops'].map((metric) => figure(scenario, metric))
  expect(operations('token')).toEqual([0, 0, 0])
  expect(operations('object')).toEqual([0, 1, 0])
  expect(operations('list')).toEqual([0, 0, 0])
  expect(operations('similar')).toEqual([0, 0, 0])
  expect(operations('rank')).toEqual([0, 0, 0])
  // The log and the visitor's object.
  expect(operations('event')).toEqual([0, 2, 0])
  expect(figure('token', 'pack-hit-rate')).toBe(1)
})

describe('under load, while releases change', () => {
  const short: LoadOptions = {
    seconds: 6,
    flipEvery: 1,
    share: 0.3,
    measured: 0.5,
    items: 400,
    shoppers: 20,
    refresh: 1,
    serveEach: false,
    settled: 2,
    advance: () => undefined,
  }
  const run = async (options: Partial<LoadOptions>) => {
    if (bench === undefined) throw new Error('there is no bench')
    const load = await measureUnderLoad(bench, { ...short, ...options })
    return { ...load, musts: Object.fromEntries(mustsOf(load).map(({ what, holds, told }) => [what, holds ? 'holds' : told.join(' ')])) }
  }

  it('nothing fails, no answer mixes two releases, clicks bring tokens, and packs of old releases go', async () => {
    const { musts, flips, trace } = await run({})
    expect(musts['no error']).toBe('holds')
    expect(musts['no answer that mixes two releases']).toBe('holds')
    // Where the machine is busy, an object's answer may come too late for a token.
    expect(trace.clicks - trace.withoutToken.count).toBeGreaterThan(0)
    expect(flips.some(({ deleted }) => deleted > 0)).toBe(true)
  })

  it('judges every item of an answer by the release that it names', () => {
    const item = (id: string, edition: number, listed: boolean) => ({
      id,
      score: 1,
      position: 1,
      source: 'neighbours' as const,
      reasons: [],
      values: Object.assign({ edition }, { listed }),
    })
    const verdict = (...items: ReturnType<typeof item>[]) =>
      judge(
        { recommId: 'r', release: 'two', rung: 'onnx', cohort: 1, region: 'GB', items },
        new Map([
          ['one', 1],
          ['two', 2],
        ]),
        new Set(['clicked']),
      )
    expect(verdict(item('a', 2, true), item('clicked', 2, false))).toBeNull()
    expect(verdict(item('a', 2, true), item('b', 1, true))).toMatchObject({ mixed: expect.stringContaining('b of edition 1') })
    expect(verdict(item('a', 2, true), item('b', 2, false))).toMatchObject({ mixed: expect.stringContaining('does not list') })
    expect(verdict()).toMatchObject({ mixed: expect.stringContaining('without items') })
  })

  it('would find lists or values of another release, and a leak', async () => {
    const { musts, trace } = await run({
      seconds: 4,
      leakBytes: 100_000,
      // Every second edition has another one's lists, every other one another one's values.
      spoilt: (manifest, others) => {
        const at = others.indexOf(manifest)
        const other = others[(at + 1) % others.length]
        return at % 2 === 0 ? { ...manifest, lists: other.lists } : { ...manifest, display: other.display }
      },
    })
    expect(musts['no error']).toBe('holds')
    expect(trace.mixed.count).toBeGreaterThan(0)
    expect(musts['no answer that mixes two releases']).toMatch(/does not list|of edition \d in an answer/)
    expect(musts['isolate memory flat (heap, buffers, WASM)']).not.toBe('holds')
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bench, type BenchEdge, openBench } from '../../batch/edge-bench/bench-edge.ts'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import type { Row } from '../../batch/edge-bench/rows.ts'
import { scenarios } from '../../batch/edge-bench/scenarios.ts'
import { bringShoppers, itemsByPopularity } from '../../batch/edge-bench/shoppers.ts'
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

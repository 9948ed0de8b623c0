import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bench, openBench } from '../../batch/edge-bench/bench-edge.ts'
import { measureCold } from '../../batch/edge-bench/cold.ts'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import type { Row } from '../../batch/edge-bench/rows.ts'
import { bringShoppers, itemsByPopularity } from '../../batch/edge-bench/shoppers.ts'
import { publish } from '../../batch/release/publish.ts'

let bench: Bench | undefined
let rows: Row[] = []

beforeAll(async () => {
  bench = await openBench()
  const persist = join(bench.folder, 'state')
  const edge = await bench.start({ persist })
  let shoppers: Awaited<ReturnType<typeof bringShoppers>>
  try {
    const { manifest, packs } = await madeUpRelease(2000, 1)
    await publish(edge.stores.kv, edge.stores.blobs, manifest, packs, Date.now())
    shoppers = await bringShoppers(edge.url, await itemsByPopularity(edge.stores.kv, manifest), 1)
  } finally {
    await edge.stop()
  }
  rows = await measureCold(bench, persist, shoppers, 1)
})

afterAll(() => bench?.close())

const figure = (metric: string): number => rows.find((row) => row.metric === metric)?.value ?? Number.NaN

it('a cold isolate answers from the release that is live within two rounds of reads and eight keys, whatever KV takes', () => {
  // With 150 ms a read, a busy machine may not have the channel in time.
  for (const suffix of ['', '-kv-30']) expect(figure(`first-answer-current-release${suffix}`), suffix).toBe(1)
  for (const suffix of ['', '-kv-30', '-kv-150']) {
    expect(figure(`kv-rounds${suffix}`), suffix).toBeLessThanOrEqual(2)
    expect(figure(`kv-keys${suffix}`), suffix).toBeLessThanOrEqual(8)
  }
  // Two rounds of it are longer than an answer may wait.
  expect(figure('first-answer-ranked-kv-150')).toBe(0)
})

it('ONNX starts with less CPU than the stock runtime does, and says how long it holds the isolate up', () => {
  expect(figure('first-onnx-cpu-ratio-to-stock')).toBeLessThan(0.6)
  expect(figure('onnx-start-cpu-ratio-to-stock')).toBeLessThan(figure('first-onnx-cpu-ratio-to-stock'))
  for (const metric of ['onnx-block-ms', 'kv-simulation-cpu-ms', 'first-answer-cpu-ms']) expect(figure(metric)).toBeGreaterThan(0)
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import getPort from 'get-port'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { publish } from '../release/publish.ts'
import type { Bench, BenchEdge } from './bench-edge.ts'
import { madeUpRelease } from './made-up-release.ts'
import { medians, type Row } from './rows.ts'
import { cpuMs, heapOf } from './runtime.ts'
import { requestsOf } from './scenarios.ts'
import { bringShoppers, itemsByPopularity, post, type Shopper } from './shoppers.ts'
import { warmUp } from './warm.ts'

/** Milliseconds by which reads of KV are slowed down: as things are, from near by, and from far away. */
const KV_MS = [0, 30, 150]

const COLD = { scenario: 'cold', connections: 1 }

/**
 * Process start to the first answer, and on to the first that ONNX ranked; each start is a runtime of its own on the
 * published state. CPU counts from the first answer of the floor on, when the process is up.
 */
export async function measureCold(bench: Bench, persist: string, shoppers: readonly Shopper[], starts: number): Promise<Row[]> {
  const rows: Row[] = []
  const [asked] = requestsOf('token', shoppers, ['-'])
  const ask = (edge: BenchEdge): Promise<RecommendationAnswer> => post(edge.url + asked.path, JSON.parse(asked.body ?? '{}'))
  for (let start = 0; start < starts; start++) {
    for (const kvMs of KV_MS) {
      const begun = performance.now()
      const edge = await bench.start({ persist })
      try {
        await (await fetch(`${edge.url}/bench/floor`)).text()
        const up = performance.now() - begun
        await edge.reset(kvMs)
        const cpuBefore = cpuMs(edge.pid)
        const asking = performance.now()
        const { rung } = await ask(edge)
        const answered = performance.now() - asking
        const cpu = cpuMs(edge.pid) - cpuBefore
        const { rounds, keys } = await edge.meters()
        const add = (metric: string, value: number): number =>
          rows.push({ ...COLD, metric: kvMs === 0 ? metric : `${metric}-kv-${kvMs}`, value })
        add('first-answer-ms', answered)
        add('first-answer-current-release', rung === 'bundled' || rung === 'previous-release' ? 0 : 1)
        add('kv-rounds', rounds)
        add('kv-keys', keys)
        if (kvMs > 0) continue
        add('process-start-ms', up)
        add('first-answer-cpu-ms', cpu)
        await warmUp(edge, shoppers)
        add('first-onnx-ms', performance.now() - asking)
        add('first-onnx-cpu-ms', cpuMs(edge.pid) - cpuBefore)
      } finally {
        await edge.stop()
      }
    }
  }
  return medians(rows)
}

const MEGABYTE = 1024 * 1024

/**
 * What an isolate holds with a catalogue of so many items, after a tenth of the requests and after all: V8's heap and
 * buffers as its inspector tells them after a collection, and the memories of WebAssembly.
 */
export async function measureMemory(bench: Bench, items: number, requests: number): Promise<Row[]> {
  const inspectorPort = await getPort()
  const edge = await bench.start({ inspectorPort })
  try {
    const { manifest, packs } = await madeUpRelease(items, 1)
    await publish(edge.stores.kv, edge.stores.blobs, manifest, packs, Date.now())
    const ids = await itemsByPopularity(edge.stores.kv, manifest)
    const shoppers = await bringShoppers(edge.url, ids, 200)
    await warmUp(edge, shoppers)
    const asked = [...requestsOf('token', shoppers, ids), ...requestsOf('similar', shoppers, ids)]
    const megabytes = async (): Promise<number> => {
      const { heap, buffers } = await heapOf(inspectorPort, () => edge.meters())
      return (heap + buffers + (await edge.meters()).wasmBytes) / MEGABYTE
    }
    const rows: Row[] = []
    let sent = 0
    for (const [metric, upTo] of [
      ['memory-early-mb', requests / 10],
      ['memory-mb', requests],
    ] as const) {
      while (sent < upTo) {
        const { answers, errors } = await bench.load.put({ url: edge.url, connections: 4, seconds: 1, requests: asked })
        if (errors > 0 || answers === 0) throw new Error(`${errors} requests failed with ${items} items`)
        sent += answers
      }
      rows.push({ ...COLD, metric, value: await megabytes() })
    }
    return rows
  } finally {
    await edge.stop()
  }
}

/** What is uploaded, as the platform counts it. */
export function measureUpload({ deployed }: Bench): Row[] {
  const bytes = Buffer.concat(deployed.files.map((name) => readFileSync(join(deployed.folder, name))))
  return [{ ...COLD, metric: 'upload-gzip-bytes', value: gzipSync(bytes).length }]
}

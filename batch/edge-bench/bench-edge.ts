import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltWorker, buildWorker, type EdgeOptions, type OnnxStart, startWorker } from '../../scripts/built-edge.ts'
import type { Stores } from '../stores/open-stores.ts'
import { type LoadProcess, startLoadProcess } from './load-process.ts'
import { WRITE_KEY } from './shoppers.ts'

/** What the measured Worker has asked of storage since its meters were set to nought, and what it holds. */
export type Meters = {
  kv: number
  keys: number
  refreshes: number
  rounds: number
  object: number
  r2: number
  hits: number
  misses: number
  /** Of packs in the isolate. */
  bytes: number
  wasmBytes: number
}

/** A running Worker with meters on its bindings (workers/bench-entry.ts). */
export type BenchEdge = {
  url: string
  pid: number
  stores: Stores
  meters(): Promise<Meters>
  /** Sets the meters to nought, how much longer each read of KV takes (milliseconds), and how much each request leaves behind. */
  reset(kvMs?: number, leakBytes?: number): Promise<void>
  stop(): Promise<void>
}

export type BenchEdgeOptions = Pick<EdgeOptions, 'persist' | 'inspectorPort'> & { variables?: Record<string, string>; onnx?: OnnxStart }

/** All that a measurement needs, made once: the Worker's bundles, fixed secrets, the load generator, a folder that goes at the end. */
export type Bench = {
  /** What `npm run deploy` would upload. */
  deployed: BuiltWorker
  folder: string
  load: LoadProcess
  start(options?: BenchEdgeOptions): Promise<BenchEdge>
  close(): void
}

/** The entry with meters, as wrangler bundles it; the same of another runtime build can be measured beside it. */
const METERED_ENTRY = 'workers/bench-entry.ts'

export async function openBench(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-bench-edge-'))
  const secrets = {
    ID_KEY: 'bench',
    IDENTITY_KEY: randomBytes(16).toString('hex'),
    ADMIN_KEY: randomBytes(16).toString('hex'),
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    WRITE_KEY,
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const deployed = await buildWorker(join(folder, 'deployed'))
    const metered = new Map<OnnxStart, BuiltWorker>()
    const meteredWith = async (onnx: OnnxStart): Promise<BuiltWorker> => {
      const built = metered.get(onnx) ?? (await buildWorker(join(folder, onnx), METERED_ENTRY, onnx))
      metered.set(onnx, built)
      return built
    }
    await meteredWith('as-deployed')
    const load = startLoadProcess()
    return {
      deployed,
      folder,
      load,
      async start({ variables = {}, onnx = 'as-deployed', ...options } = {}) {
        const edge = await startWorker(await meteredWith(onnx), { ...secrets, ...variables }, { entrypoint: 'direct', ...options })
        const control = new URL('/bench/meters', edge.url)
        return {
          ...edge,
          url: edge.url.replace(/\/$/, ''),
          meters: async () => (await (await fetch(control)).json()) as Meters,
          reset: async (kvMs = 0, leakBytes = 0) => {
            await (await fetch(control, { method: 'POST', body: JSON.stringify({ kvMs, leakBytes }) })).text()
          },
        }
      },
      close() {
        load.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

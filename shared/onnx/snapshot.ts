import { decodePack, encodePack, metaCount, type Pack, PackError, section } from '../release/container.ts'
import { utf8 } from '../utf8.ts'
import type { WasmExports, WasmMemory } from './runtime.ts'
import type { SessionState } from './session.ts'

/** The runtime's memory once its session is open, and what is not in the memory. */
export type Snapshot = {
  /** Of what it was taken from: `snapshotKey`. */
  key: string
  /** Hash of the graph whose session is open. */
  graph: string
  /** 64 KiB pages of the memory. */
  pages: number
  /** The mutable globals, by the name under which the runtime's module exports them. */
  globals: Record<string, number>
  /** Exports that a starting runtime calls and that have done their work already. */
  done: string[]
  session: SessionState
  /** The graph computes what the reference scorer does, so that the one can vouch for the other. */
  likeReference: boolean
  /** What the stock runtime made of `knownCase`: the scores to expect. */
  known: Float32Array<ArrayBuffer>
  /** Stretches of memory that are not zero: [address, length] one after the other, and their bytes in that order. */
  kept: Uint32Array<ArrayBuffer>
  bytes: Uint8Array<ArrayBuffer>
  /** Stretches that were not zero and that nothing needs: [address, length] one after the other. */
  pruned: Uint32Array<ArrayBuffer>
}

/** Name of the runtime module's custom section that holds its key. */
export const KEY_SECTION = 'nightjar-key'

/**
 * Stands where memory was left out, and makes whatever it is taken for fail loudly: an address or a function beyond the
 * last one, which traps, or a float that is not a number, which the scorer refuses.
 */
const POISON = 0xff

type Told = Pick<Snapshot, 'globals' | 'done' | 'session' | 'likeReference'>

export function encodeSnapshot({ key, graph, pages, known, kept, bytes, pruned, ...told }: Snapshot): Uint8Array<ArrayBuffer> {
  const state: Told = told
  return encodePack({
    kind: 'onnx',
    meta: { key, graph, pages },
    sections: { state: utf8(JSON.stringify(state)), known, kept, bytes, pruned },
  })
}

/** @throws PackError when it is no snapshot */
export function decodeSnapshot(buffer: ArrayBuffer): Snapshot {
  const pack = decodePack(buffer, 'onnx')
  return {
    key: metaText(pack, 'key'),
    graph: metaText(pack, 'graph'),
    pages: metaCount(pack, 'pages'),
    ...(JSON.parse(new TextDecoder().decode(section(pack, 'state', Uint8Array))) as Told),
    known: section(pack, 'known', Float32Array),
    kept: section(pack, 'kept', Uint32Array),
    bytes: section(pack, 'bytes', Uint8Array),
    pruned: section(pack, 'pruned', Uint32Array),
  }
}

function metaText(pack: Pack, name: string): string {
  const value = pack.meta[name]
  if (typeof value !== 'string') throw new PackError('bad-header', `onnx meta.${name} is not a text`)
  return value
}

/**
 * Lays the snapshot into the memory of a runtime that is about to start: to be called before its module is instantiated,
 * whose start function then finds its data there. What is left out is to be poisoned as well.
 */
export function layMemory({ pages, kept, bytes }: Snapshot, memory: WasmMemory): void {
  const missing = pages - memory.buffer.byteLength / 65_536
  if (missing > 0) memory.grow(missing)
  const all = new Uint8Array(memory.buffer)
  for (let i = 0, from = 0; i < kept.length; i += 2) {
    all.set(bytes.subarray(from, from + kept[i + 1]), kept[i])
    from += kept[i + 1]
  }
}

/** Fills the memory that the snapshot leaves out, so that nothing takes it for zeros. */
export function poisonMemory({ pruned }: Snapshot, memory: WasmMemory): void {
  const all = new Uint8Array(memory.buffer)
  for (let i = 0; i < pruned.length; i += 2) all.fill(POISON, pruned[i], pruned[i] + pruned[i + 1])
}

/** Sets the globals of an instance on that memory. @returns its exports, less what must not run a second time */
export function takeUp({ globals, done }: Snapshot, exports: WasmExports): WasmExports {
  for (const [name, value] of Object.entries(globals)) (exports[name] as { value: number }).value = value
  return { ...exports, ...Object.fromEntries(done.map((name) => [name, () => undefined])) }
}

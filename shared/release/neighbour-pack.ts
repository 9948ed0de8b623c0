import { decodePack, encodePack, type Indices, indexArray, indices, openPack, type Pack, PackError, section } from './container.ts'

/** An item's neighbours, best first by `similar`; both weights are relative to the row's own scale. */
export type NeighbourRow = {
  items: Indices
  /** 0 … 255; times `similarScale` = the weight of "who wants this wants that". */
  similar: Uint8Array<ArrayBuffer>
  /** 0 … 255; times `togetherScale` = the weight of "in the same basket or session, after it". */
  together: Uint8Array<ArrayBuffer>
  similarScale: number
  togetherScale: number
}

/** The rows of consecutive slots. */
export type NeighbourPack = {
  first: number
  rows: number
  row(slot: number): NeighbourRow
}

export type NeighbourInput = { items: number[]; similar: number[]; together: number[] }

const quantise = (weights: number[]): { scale: number; bytes: Uint8Array } => {
  const top = weights.reduce((most, weight) => Math.max(most, weight), 0)
  // The scale is rounded to float32 before use, because the edge reads it back as one.
  const scale = Math.fround(top / 255)
  return { scale, bytes: Uint8Array.from(weights, (weight) => (scale > 0 ? Math.min(255, Math.round(Math.max(0, weight) / scale)) : 0)) }
}

/** @param first the slot of `rows[0]`; @param itemCount how many items the release has (sets the width of an index) */
export function encodeNeighbours(first: number, rows: NeighbourInput[], itemCount: number): Uint8Array<ArrayBuffer> {
  const start = new Uint32Array(rows.length + 1)
  rows.forEach((row, i) => {
    start[i + 1] = start[i] + row.items.length
  })
  const total = start[rows.length]
  const similar = new Uint8Array(total)
  const together = new Uint8Array(total)
  const similarScale = new Float32Array(rows.length)
  const togetherScale = new Float32Array(rows.length)
  rows.forEach((row, i) => {
    const a = quantise(row.similar)
    const b = quantise(row.together)
    similarScale[i] = a.scale
    togetherScale[i] = b.scale
    similar.set(a.bytes, start[i])
    together.set(b.bytes, start[i])
  })
  const items = indexArray(
    itemCount,
    rows.flatMap((row) => row.items),
  )
  return encodePack({ kind: 'neighbours', meta: { first }, sections: { start, items, similar, together, similarScale, togetherScale } })
}

/** @throws PackError */
export const openNeighbours = async (buffer: ArrayBuffer, hash: string): Promise<NeighbourPack> =>
  readNeighbours(await openPack(buffer, hash, 'neighbours'))
/** @throws PackError */
export const decodeNeighbours = (buffer: ArrayBuffer): NeighbourPack => readNeighbours(decodePack(buffer, 'neighbours'))

function readNeighbours(pack: Pack): NeighbourPack {
  const start = section(pack, 'start', Uint32Array)
  const rows = start.length - 1
  if (rows < 0) throw new PackError('bad-section', 'neighbours.start is empty')
  const total = start[rows]
  const items = indices(pack, 'items', total)
  const similar = section(pack, 'similar', Uint8Array, total)
  const together = section(pack, 'together', Uint8Array, total)
  const similarScale = section(pack, 'similarScale', Float32Array, rows)
  const togetherScale = section(pack, 'togetherScale', Float32Array, rows)
  const first = Number(pack.meta.first)
  return {
    first,
    rows,
    row(slot) {
      const i = slot - first
      const from = start[i]
      const to = start[i + 1]
      return {
        items: items.subarray(from, to),
        similar: similar.subarray(from, to),
        together: together.subarray(from, to),
        similarScale: similarScale[i],
        togetherScale: togetherScale[i],
      }
    },
  }
}

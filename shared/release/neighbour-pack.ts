import {
  decodePack,
  encodePack,
  hasSection,
  type Indices,
  indexArray,
  indices,
  openPack,
  type Pack,
  PackError,
  section,
} from './container.ts'

/**
 * An item's neighbours; each kind of weight is relative to the row's own scale for it. The columns are those of the whole
 * pack, the row's part of them goes from `from` up to `to`: an answer looks at dozens of rows, and four views of each would
 * cost more than what is read through them.
 */
export type NeighbourRow = {
  from: number
  to: number
  items: Indices
  /** 0 … 255; times `similarScale` = the weight of "who wants this wants that". */
  similar: Uint8Array<ArrayBuffer>
  /** 0 … 255; times `togetherScale` = the weight of "in the same basket or session, after it". */
  together: Uint8Array<ArrayBuffer>
  /** 0 … 255; times `nextScale` = the weight of "as the very next step". */
  next: Uint8Array<ArrayBuffer>
  similarScale: number
  togetherScale: number
  nextScale: number
}

/** Where in the columns this item stands among the row's neighbours; -1 where it is none of them. */
export function placeIn({ items, from, to }: NeighbourRow, item: number): number {
  for (let i = from; i < to; i++) if (items[i] === item) return i
  return -1
}

/** The kinds of weight a neighbour has. */
export const NEIGHBOUR_WEIGHTS = ['similar', 'together', 'next'] as const
export type NeighbourWeight = (typeof NEIGHBOUR_WEIGHTS)[number]

/** The rows of consecutive slots. */
export type NeighbourPack = {
  first: number
  rows: number
  row(slot: number): NeighbourRow
}

export type NeighbourInput = { items: number[] } & Record<NeighbourWeight, number[]>

const quantise = (weights: number[]): { scale: number; bytes: Uint8Array } => {
  const top = weights.reduce((most, weight) => Math.max(most, weight), 0)
  // The scale is rounded to float32 before use, because the edge reads it back as one.
  const scale = Math.fround(top / 255)
  return { scale, bytes: Uint8Array.from(weights, (weight) => (scale > 0 ? Math.min(255, Math.round(Math.max(0, weight) / scale)) : 0)) }
}

/**
 * A kind of weight that none of the rows has takes no space.
 * @param first the slot of `rows[0]` @param itemCount how many items the release has (sets the width of an index)
 */
export function encodeNeighbours(first: number, rows: NeighbourInput[], itemCount: number): Uint8Array<ArrayBuffer> {
  const start = new Uint32Array(rows.length + 1)
  rows.forEach((row, i) => {
    start[i + 1] = start[i] + row.items.length
  })
  const items = indexArray(
    itemCount,
    rows.flatMap((row) => row.items),
  )
  const columns = NEIGHBOUR_WEIGHTS.flatMap((kind) => {
    const bytes = new Uint8Array(start[rows.length])
    const scales = new Float32Array(rows.length)
    rows.forEach((row, i) => {
      const quantised = quantise(row[kind])
      scales[i] = quantised.scale
      bytes.set(quantised.bytes, start[i])
    })
    const none = scales.every((scale) => scale === 0)
    return none
      ? []
      : [
          [kind, bytes],
          [`${kind}Scale`, scales],
        ]
  })
  return encodePack({ kind: 'neighbours', meta: { first }, sections: { start, items, ...Object.fromEntries(columns) } })
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
  const weights = (kind: NeighbourWeight): Uint8Array<ArrayBuffer> =>
    hasSection(pack, kind) ? section(pack, kind, Uint8Array, total) : new Uint8Array(total)
  const scales = (kind: NeighbourWeight): Float32Array<ArrayBuffer> =>
    hasSection(pack, kind) ? section(pack, `${kind}Scale`, Float32Array, rows) : new Float32Array(rows)
  const [similar, together, next] = NEIGHBOUR_WEIGHTS.map(weights)
  const [similarScale, togetherScale, nextScale] = NEIGHBOUR_WEIGHTS.map(scales)
  const first = Number(pack.meta.first)
  return {
    first,
    rows,
    row(slot) {
      const i = slot - first
      return {
        from: start[i],
        to: start[i + 1],
        items,
        similar,
        together,
        next,
        similarScale: similarScale[i],
        togetherScale: togetherScale[i],
        nextScale: nextScale[i],
      }
    },
  }
}

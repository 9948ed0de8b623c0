import { utf8 } from '../utf8.ts'
import { decodePack, encodePack, metaCount, openPack, type Pack, section, texts } from './container.ts'

/** Bits of `flags`. */
export const AVAILABLE = 1
/** First seen within the window's last days, or never interacted with: eligible for the new-item slots. */
export const NEW = 2

/**
 * What the edge keeps of every item, column by column; item index = rank of the id among the catalogue's ids by bytes,
 * so that "ties by item index" is "ties by id".
 */
export type Core = {
  items: number
  /** Width of an item vector. */
  dimensions: number
  cohorts: number
  /** itemHash values in ascending order, split into high 16 and low 32 bits, and the item each belongs to. */
  hashHigh: Uint16Array<ArrayBuffer>
  hashLow: Uint32Array<ArrayBuffer>
  hashItem: Uint32Array<ArrayBuffer>
  /** Position in clustered order, which says in which pack an item's rows stand. */
  slot: Uint32Array<ArrayBuffer>
  /** In the catalogue's currency; 0 = unknown. */
  price: Float32Array<ArrayBuffer>
  /** Index into `categories`; 0 = none. */
  category: Uint16Array<ArrayBuffer>
  /** Decayed popularity on a log scale, 0 … 255 = the most popular item. */
  popularity: Uint8Array<ArrayBuffer>
  /** log2 of recent over long-run share, 0 … 255 for −4 … +4. */
  trend: Uint8Array<ArrayBuffer>
  /** Days since first seen, saturating at 65535. */
  age: Uint16Array<ArrayBuffer>
  /** Share of the item's visitors who took it again, 0 … 255 for 0 … 1. */
  repeat: Uint8Array<ArrayBuffer>
  flags: Uint8Array<ArrayBuffer>
  /** items × dimensions; a row's direction is the item, its length is about 127. */
  vectors: Int8Array<ArrayBuffer>
  /** cohorts × dimensions, unit length. */
  centroids: Float32Array<ArrayBuffer>
  /** Category names; [0] is the empty name. */
  categories: string[]
}

export function encodeCore(core: Core): Uint8Array<ArrayBuffer> {
  const { items, dimensions, cohorts, categories, ...columns } = core
  const sections = { ...columns, categories: utf8(JSON.stringify(categories)) }
  return encodePack({ kind: 'core', meta: { items, dimensions, cohorts }, sections })
}

/** @throws PackError */
export const openCore = async (buffer: ArrayBuffer, hash: string): Promise<Core> => readCore(await openPack(buffer, hash, 'core'))
/** @throws PackError */
export const decodeCore = (buffer: ArrayBuffer): Core => readCore(decodePack(buffer, 'core'))

function readCore(pack: Pack): Core {
  const items = metaCount(pack, 'items')
  const dimensions = metaCount(pack, 'dimensions')
  const cohorts = metaCount(pack, 'cohorts')
  return {
    items,
    dimensions,
    cohorts,
    hashHigh: section(pack, 'hashHigh', Uint16Array, items),
    hashLow: section(pack, 'hashLow', Uint32Array, items),
    hashItem: section(pack, 'hashItem', Uint32Array, items),
    slot: section(pack, 'slot', Uint32Array, items),
    price: section(pack, 'price', Float32Array, items),
    category: section(pack, 'category', Uint16Array, items),
    popularity: section(pack, 'popularity', Uint8Array, items),
    trend: section(pack, 'trend', Uint8Array, items),
    age: section(pack, 'age', Uint16Array, items),
    repeat: section(pack, 'repeat', Uint8Array, items),
    flags: section(pack, 'flags', Uint8Array, items),
    vectors: section(pack, 'vectors', Int8Array, items * dimensions),
    centroids: section(pack, 'centroids', Float32Array, cohorts * dimensions),
    categories: texts(pack, 'categories'),
  }
}

/** The index of the item with this `itemHash`, or -1. */
export function itemByHash(core: Core, hash: number): number {
  const high = Math.floor(hash / 0x1_0000_0000)
  const low = hash >>> 0
  let from = 0
  let to = core.items
  while (from < to) {
    const middle = (from + to) >>> 1
    const h = core.hashHigh[middle]
    if (h < high || (h === high && core.hashLow[middle] < low)) from = middle + 1
    else to = middle
  }
  return from < core.items && core.hashHigh[from] === high && core.hashLow[from] === low ? core.hashItem[from] : -1
}

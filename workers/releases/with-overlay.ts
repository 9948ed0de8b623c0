import type { Overlay } from '../../shared/overlay.ts'
import { RecallSpace } from '../../shared/ranking/recall-space.ts'
import { AVAILABLE, type Core, NEW } from '../../shared/release/core-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { NeighbourRow } from '../../shared/release/neighbour-pack.ts'
import { type LiveItem, valuesOf } from '../../shared/schemas/items.ts'
import { indexOf, indicesOf } from './item-index.ts'
import type { LoadedRelease } from './loaded-release.ts'
import { displayRow } from './pack-reader.ts'

/** A release with what changed since it was made: serving sees no difference between its items and those that came later. */
export type LiveRelease = LoadedRelease & {
  /** Never to be shown. */
  barred: ReadonlySet<number>
  /** Items that are shown only for a time; `open` judges by Unix milliseconds. */
  windows: ReadonlyMap<number, Pick<LiveItem['fields'], 'from' | 'until'>>
  /** Items that the release itself does not have, the newest first. */
  arrived: readonly number[]
}

/** Of a row of content alone, as much as the night gives one (batch/learn/content-neighbours.ts). */
const CONTENT_WEIGHT = 0.1
/** How many newcomers may enter a known item's row. */
const NEWCOMERS_IN_A_ROW = 10

const made = new WeakMap<LoadedRelease, { overlay: Overlay; live: LiveRelease }>()

/** Made once for each overlay an isolate sees, because every array of the release is copied for it. */
export function withOverlay(release: LoadedRelease, overlay: Overlay): LiveRelease {
  const known = made.get(release)
  if (known?.overlay === overlay) return known.live
  const live = make(release, overlay)
  made.set(release, { overlay, live })
  return live
}

function make(release: LoadedRelease, overlay: Overlay): LiveRelease {
  const changes = overlay.items.map((change) => ({ ...change, index: indexOf(release, change.item) }))
  const arrivals = changes
    .filter(({ index, removed }) => index < 0 && !removed)
    .sort((a, b) => bornOf(b) - bornOf(a) || (a.item < b.item ? -1 : 1))
  const first = release.core.items
  const arrived = arrivals.map((_, i) => first + i)
  const told = new Map<number, LiveItem>([
    ...changes.filter(({ index, removed }) => index >= 0 && !removed).map((change) => [change.index, change] as const),
    ...arrivals.map((change, i) => [first + i, change] as const),
  ])
  const core = told.size === 0 && overlay.unavailable.length === 0 ? release.core : extended(release, arrivals, told, overlay)
  const links = arrivals.map(({ like }) =>
    like.map(({ item, weight }) => ({ item: indexOf(release, item), weight: CONTENT_WEIGHT * weight })).filter(({ item }) => item >= 0),
  )
  const newcomers = newcomersOf(links, first)
  const base = (items: readonly number[]): number[] => items.filter((item) => item < first)
  return {
    ...release,
    core,
    space: arrivals.length === 0 ? release.space : new RecallSpace(core.items, true),
    newItems: [...arrived, ...release.newItems],
    byPopularity: () => [...release.byPopularity(), ...arrived],
    neighbours(item) {
      if (item >= first) return rowOf(links[item - first])
      const row = release.neighbours(item)
      const more = newcomers.get(item)
      return row === undefined || more === undefined ? row : longer(row, more)
    },
    loadNeighbours: (ctx, items) => release.loadNeighbours(ctx, base(items)),
    loadDisplay: (ctx, items) => release.loadDisplay(ctx, base(items)),
    display(item) {
      const change = told.get(item)
      if (item >= first && change !== undefined) return displayRow(change.item, JSON.stringify(valuesOf(change.fields)))
      const own = release.display(item)
      return change === undefined
        ? own
        : displayRow(own.id, JSON.stringify({ ...(JSON.parse(own.json) as object), ...valuesOf(change.fields) }))
    },
    barred: new Set([
      ...indicesOf({ core, manifest: release.manifest }, overlay.hidden),
      ...changes.filter(({ index, removed }) => index >= 0 && removed).map(({ index }) => index),
    ]),
    windows: new Map(
      [...told]
        .filter(([, { fields }]) => fields.from !== undefined || fields.until !== undefined)
        .map(([item, { fields }]) => [item, fields]),
    ),
    arrived,
  }
}

/** When an item came into the world: when its window opened, else when it was first heard of. */
const bornOf = ({ fields, first }: LiveItem): number => fields.from ?? first

/** The core with a row for every arrival behind its own, and with what changed of those. */
function extended(
  { core, manifest }: LoadedRelease,
  arrivals: readonly LiveItem[],
  told: ReadonlyMap<number, LiveItem>,
  overlay: Overlay,
): Core {
  const items = core.items + arrivals.length
  const categories = [...core.categories]
  const categoryOf = (name: string | undefined): number => {
    if (name === undefined || name === '') return 0
    const at = categories.indexOf(name)
    return at > 0 ? at : categories.push(name) - 1
  }
  const grown: Core = {
    ...core,
    items,
    ...hashesOf(core, manifest.idSalt, arrivals),
    slot: longerArray(core.slot, items),
    price: longerArray(core.price, items),
    category: longerArray(core.category, items),
    popularity: longerArray(core.popularity, items),
    trend: longerArray(core.trend, items, 128),
    age: longerArray(core.age, items),
    repeat: longerArray(core.repeat, items),
    flags: longerArray(core.flags, items, AVAILABLE | NEW),
    vectors: longerArray(core.vectors, items * core.dimensions),
    categories,
  }
  for (const [item, { fields }] of told) {
    const { price, category } = valuesOf(fields)
    if (price !== undefined) grown.price[item] = price
    if (category !== undefined) grown.category[item] = categoryOf(category)
    // The night judged a window by its own time; here it is judged by the clock.
    const inStock = fields.available ?? (fields.from !== undefined || fields.until !== undefined ? true : undefined)
    if (inStock !== undefined) grown.flags[item] = inStock ? grown.flags[item] | AVAILABLE : grown.flags[item] & ~AVAILABLE
  }
  for (const item of indicesOf({ core: grown, manifest }, overlay.unavailable)) grown.flags[item] &= ~AVAILABLE
  arrivals.forEach(({ like }, i) => {
    placeAmong(
      grown,
      core.items + i,
      like.map(({ item, weight }) => ({ item: indexOf({ core, manifest }, item), weight })),
    )
  })
  return grown
}

/** The vector of a new item points to where the items are that it is like; at the length of the others. */
function placeAmong({ vectors, dimensions }: Core, item: number, like: readonly { item: number; weight: number }[]): void {
  const sum = new Float64Array(dimensions)
  for (const { item: other, weight } of like)
    if (other >= 0) for (let d = 0; d < dimensions; d++) sum[d] += weight * vectors[other * dimensions + d]
  const length = Math.hypot(...sum)
  if (length > 0) for (let d = 0; d < dimensions; d++) vectors[item * dimensions + d] = Math.round((127 * sum[d]) / length)
}

type Column =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>

function longerArray<T extends Column>(column: T, length: number, rest = 0): T {
  const copy = new (column.constructor as new (length: number) => T)(length)
  copy.set(column)
  copy.fill(rest, column.length)
  return copy
}

function hashesOf(core: Core, salt: number, arrivals: readonly LiveItem[]): Pick<Core, 'hashHigh' | 'hashLow' | 'hashItem'> {
  if (arrivals.length === 0) return core
  const own = Array.from(core.hashItem, (item, i) => ({ hash: core.hashHigh[i] * 0x1_0000_0000 + core.hashLow[i], item }))
  const all = [...own, ...arrivals.map(({ item }, i) => ({ hash: itemHash(item, salt), item: core.items + i }))].sort(
    (a, b) => a.hash - b.hash,
  )
  return {
    hashHigh: Uint16Array.from(all, ({ hash }) => Math.floor(hash / 0x1_0000_0000)),
    hashLow: Uint32Array.from(all, ({ hash }) => hash >>> 0),
    hashItem: Uint32Array.from(all, ({ item }) => item),
  }
}

type Link = { item: number; weight: number }

/** By known item the newcomers that are most like it. */
function newcomersOf(links: readonly Link[][], first: number): Map<number, Link[]> {
  const newcomers = new Map<number, Link[]>()
  links.forEach((row, i) => {
    for (const { item, weight } of row) newcomers.set(item, [...(newcomers.get(item) ?? []), { item: first + i, weight }])
  })
  for (const [item, row] of newcomers)
    newcomers.set(item, row.sort((a, b) => b.weight - a.weight || a.item - b.item).slice(0, NEWCOMERS_IN_A_ROW))
  return newcomers
}

/** As the night writes rows of content: as much by "similar" as by "together". */
const rowOf = (links: readonly Link[]): NeighbourRow => longer(NO_ROW, links)

const NO_ROW: NeighbourRow = {
  from: 0,
  to: 0,
  items: new Uint32Array(0),
  similar: new Uint8Array(0),
  together: new Uint8Array(0),
  next: new Uint8Array(0),
  similarScale: 0,
  togetherScale: 0,
  nextScale: 0,
}

function longer(row: NeighbourRow, more: readonly Link[]): NeighbourRow {
  const own = row.to - row.from
  const count = own + more.length
  const items = new Uint32Array(count)
  items.set(row.items.subarray(row.from, row.to))
  items.set(
    more.map(({ item }) => item),
    own,
  )
  const top = more.reduce((most, { weight }) => Math.max(most, weight), 0)
  const scaled = (bytes: Uint8Array, rowScale: number): { bytes: Uint8Array<ArrayBuffer>; scale: number } => {
    const scale = rowScale > 0 ? rowScale : top / 255
    const all = new Uint8Array(count)
    all.set(bytes.subarray(row.from, row.to))
    all.set(
      more.map(({ weight }) => (scale > 0 ? Math.min(255, Math.max(1, Math.round(weight / scale))) : 0)),
      own,
    )
    return { bytes: all, scale }
  }
  const similar = scaled(row.similar, row.similarScale)
  const together = scaled(row.together, row.togetherScale)
  const next = new Uint8Array(count)
  next.set(row.next.subarray(row.from, row.to))
  return {
    from: 0,
    to: count,
    items,
    similar: similar.bytes,
    together: together.bytes,
    next,
    similarScale: similar.scale,
    togetherScale: together.scale,
    nextScale: row.nextScale,
  }
}

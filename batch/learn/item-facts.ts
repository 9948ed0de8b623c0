import { AVAILABLE, type Core, NEW } from '../../shared/release/core-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { Config } from '../config.ts'
import { type Interactions, recentSums, type Window } from './interactions.ts'
import { sphericalKMeans } from './k-means.ts'

const DAY = 86_400
/** An item trends when its share counted over the shorter half-life is above that over the longer. */
const LATELY_DAYS = 4
const USUALLY_DAYS = 60

export async function describeItems(
  { dataset, until }: Window,
  recent: Interactions,
  vectors: Float32Array,
  config: Config,
): Promise<{ core: Core; idSalt: number }> {
  const { items } = dataset
  const categories = ['', ...new Set(items.map((item) => item.category).filter((name) => name !== ''))].slice(0, 65_536)
  const categoryIndex = new Map(categories.map((name, i) => [name, i]))
  const { salt, high, low, item } = hashIndex(items.map(({ id }) => id))
  return {
    idSalt: salt,
    core: {
      items: items.length,
      dimensions: config.dimensions,
      cohorts: 0,
      hashHigh: high,
      hashLow: low,
      hashItem: item,
      slot: await clusteredOrder(vectors, config.dimensions, sumByItem(recent), config.seed),
      price: Float32Array.from(items, ({ price }) => price),
      category: Uint16Array.from(items, ({ category }) => categoryIndex.get(category) ?? 0),
      ...passingFacts({ dataset, until }, recent, config),
      vectors: Int8Array.from(vectors, (value) => Math.round(127 * value)),
      centroids: new Float32Array(0),
      categories,
    },
  }
}

/** What is true of items at the window's end, and may not be a day later. */
function passingFacts(
  { dataset, until }: Window,
  recent: Interactions,
  config: Config,
): Pick<Core, 'popularity' | 'trend' | 'age' | 'repeat' | 'flags'> {
  const { items } = dataset
  const popularity = sumByItem(recent)
  const lately = recentSums({ dataset, until }, LATELY_DAYS)
  const usually = recentSums({ dataset, until }, USUALLY_DAYS)
  const total = usually.reduce((sum, value) => sum + value, 0)
  const totalLately = lately.reduce((sum, value) => sum + value, 0)
  const most = popularity.reduce((top, value) => Math.max(top, value), 0)
  const repeat = repeatShares({ dataset, until })
  const trend = (i: number): number => Math.log2((lately[i] + 0.5) / (totalLately + 0.5) / ((usually[i] + 0.5) / (total + 0.5)))
  return {
    popularity: Uint8Array.from(popularity, (value) => (most > 0 ? Math.round((255 * Math.log1p(value)) / Math.log1p(most)) : 0)),
    trend: Uint8Array.from(items, (_, i) => Math.min(255, Math.max(0, Math.round(128 + 32 * trend(i))))),
    // What was neither listed nor touched yet is as new as can be: at a moment in the past, so is what was touched later.
    age: Uint16Array.from(items, ({ firstSeen }) =>
      firstSeen === 0 ? 0 : Math.min(65_535, Math.max(0, Math.floor((until - firstSeen) / DAY))),
    ),
    repeat: Uint8Array.from(repeat, (share) => Math.round(255 * share)),
    flags: Uint8Array.from(
      items,
      ({ available }, i) => (available ? AVAILABLE : 0) | (isNew({ dataset, until }, recent, config, i) ? NEW : 0),
    ),
  }
}

/** Untouched, or seen a short while ago only. */
export const isNew = ({ dataset, until }: Window, { itemVisitors }: Interactions, { newItemDays }: Config, item: number): boolean =>
  itemVisitors[item] === 0 || dataset.items[item].firstSeen > until - newItemDays * DAY

export function sumByItem({ byItem }: Interactions): Float64Array {
  return Float64Array.from({ length: byItem.rows }, (_, item) => {
    let sum = 0
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) sum += byItem.value[k]
    return sum
  })
}

/**
 * Share of an item's visitors who took it again in another session, shrunk towards none; where nobody has two sessions,
 * after something else in the same one.
 */
function repeatShares({ dataset, until }: Window): Float32Array {
  const { deeds, items } = dataset
  const oneSessionEach = deeds.count > 0 && deeds.session[deeds.count - 1] === deeds.visitor[deeds.count - 1]
  const visitors = new Uint32Array(items.length)
  const repeaters = new Uint32Array(items.length)
  const seen = new Map<number, { at: number; again: boolean }>()
  const settle = (): void => {
    for (const [item, { again }] of seen) {
      visitors[item]++
      if (again) repeaters[item]++
    }
    seen.clear()
  }
  for (let k = 0; k < deeds.count; k++) {
    if (k > 0 && deeds.visitor[k] !== deeds.visitor[k - 1]) settle()
    if (deeds.at[k] >= until) continue
    const before = seen.get(deeds.item[k])
    if (before === undefined) seen.set(deeds.item[k], { at: k, again: false })
    else {
      if (deeds.session[before.at] !== deeds.session[k] || (oneSessionEach && k - before.at > 1)) before.again = true
      before.at = k
    }
  }
  settle()
  return Float32Array.from(items, (_, item) => (repeaters[item] + 0.1) / (visitors[item] + 5))
}

function hashIndex(ids: string[]): {
  salt: number
  high: Uint16Array<ArrayBuffer>
  low: Uint32Array<ArrayBuffer>
  item: Uint32Array<ArrayBuffer>
} {
  for (let salt = 0; ; salt++) {
    const hashes = ids.map((id, item) => ({ hash: itemHash(id, salt), item })).sort((a, b) => a.hash - b.hash)
    if (hashes.some(({ hash }, i) => i > 0 && hash === hashes[i - 1].hash)) continue
    return {
      salt,
      high: Uint16Array.from(hashes, ({ hash }) => Math.floor(hash / 0x1_0000_0000)),
      low: Uint32Array.from(hashes, ({ hash }) => hash >>> 0),
      item: Uint32Array.from(hashes, ({ item }) => item),
    }
  }
}

/** Items that are wanted together stand together, the popular ones first: a visitor's few items then touch few packs. */
async function clusteredOrder(
  vectors: Float32Array,
  dimensions: number,
  popularity: Float64Array,
  seed: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const { assignment } = await sphericalKMeans(vectors, dimensions, Math.min(256, Math.ceil(popularity.length / 80)), 1, seed)
  const order = Array.from(popularity.keys()).sort((a, b) => assignment[a] - assignment[b] || popularity[b] - popularity[a] || a - b)
  const slot = new Uint32Array(order.length)
  order.forEach((item, at) => {
    slot[item] = at
  })
  return slot
}

import type { EventRecord } from '../../shared/schemas/events.ts'
import { distinctCount, markOf, mergeSketches, type Sketch } from './sketch.ts'

/** Per item, who took it. */
export type ItemSketches = Map<string, Sketch>
/** Per region (`*` for everywhere). */
export type Trends = Map<string, ItemSketches>

/** More items than this in one region change no list worth showing, and would let strangers fill an object. */
export const MOST_ITEMS = 400

/** What consenting visitors did, by region. Impressions do not count: what is shown is not what is wanted. */
export function trendsOf(records: readonly EventRecord[]): Trends {
  const trends: Trends = new Map()
  for (const record of records) {
    if (record.visitor === null) continue
    for (const item of itemsOf(record)) {
      const sketch = [markOf(record.visitor, item)]
      for (const region of record.country === null ? ['*'] : ['*', record.country]) addTo(trends, region, new Map([[item, sketch]]))
    }
  }
  return trends
}

export function mergeTrends(parts: readonly Trends[]): Trends {
  const merged: Trends = new Map()
  for (const part of parts) for (const [region, items] of part) addTo(merged, region, items)
  return merged
}

function addTo(trends: Trends, region: string, items: ItemSketches): void {
  const known = trends.get(region) ?? new Map<string, Sketch>()
  trends.set(region, known)
  for (const [item, sketch] of items) known.set(item, mergeSketches(known.get(item) ?? [], sketch))
}

/** The `most` items with most visitors, best first; ties go to the lower id. */
export function topOf(items: ItemSketches, most: number): [string, Sketch][] {
  return [...items]
    .map(([item, sketch]) => ({ item, sketch, visitors: distinctCount(sketch) }))
    .sort((a, b) => b.visitors - a.visitors || (a.item < b.item ? -1 : 1))
    .slice(0, most)
    .map(({ item, sketch }) => [item, sketch])
}

function itemsOf(record: EventRecord): string[] {
  if (record.type === 'purchase') return record.items.map(({ item }) => item)
  return record.type === 'click' || record.type === 'item_view' || record.type === 'add_to_cart' ? [record.item] : []
}

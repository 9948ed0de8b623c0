import type { EventRecord } from '../../shared/schemas/events.ts'

/** Within one hour: region → item → marks of the visitors who took it. */
export type HourTrends = Record<string, Record<string, string[]>>
export type Trends = HourTrends

/** More distinct visitors than this change no order worth having, and would let one item fill an object. */
const MOST_VISITORS = 200
const MOST_ITEMS = 2000
/** Enough of a pseudonym to tell visitors of one hour apart, too little to know them by. */
const MARK_LENGTH = 6

/** Adds what consenting visitors did. Impressions do not count: what is shown is not what is wanted. */
export function addTrends(trends: HourTrends, records: readonly EventRecord[]): HourTrends {
  for (const record of records) {
    if (record.visitor === null) continue
    for (const region of record.country === null ? ['*'] : ['*', record.country]) {
      for (const item of itemsOf(record)) add(trends, region, item, [record.visitor.slice(0, MARK_LENGTH)])
    }
  }
  return trends
}

export function mergeTrends(parts: readonly HourTrends[]): Trends {
  const merged: Trends = {}
  for (const part of parts) {
    for (const [region, items] of Object.entries(part)) for (const [item, marks] of Object.entries(items)) add(merged, region, item, marks)
  }
  return merged
}

function add(trends: HourTrends, region: string, item: string, marks: readonly string[]): void {
  trends[region] ??= Object.create(null)
  const items = trends[region]
  if (items[item] === undefined) {
    if (Object.keys(items).length >= MOST_ITEMS) return
    items[item] = []
  }
  for (const mark of marks) if (items[item].length < MOST_VISITORS && !items[item].includes(mark)) items[item].push(mark)
}

function itemsOf(record: EventRecord): string[] {
  if (record.type === 'purchase') return record.items.map(({ item }) => item)
  return record.type === 'click' || record.type === 'item_view' || record.type === 'add_to_cart' ? [record.item] : []
}

import type { Event, EventRecord, ItemEvent } from './schemas/events.ts'
import type { ItemRecord } from './schemas/items.ts'

/** A client's clock may run ahead by this much, and an event be late by that much, before the edge's own time counts. */
const AHEAD_MS = 5 * 60_000
const LATE_MS = 72 * 3_600_000

/** What the edge knows of an event beside what was sent. */
export type Seen = Pick<EventRecord, 'received' | 'visitor' | 'country' | 'device' | 'referrer'>

/** The event with what the edge knows of it; a time that cannot be is replaced by the time it came, and marked. */
export function recordOf(event: Event, seen: Seen): EventRecord {
  const at = timeOf(event, seen.received)
  const claimed = event.at !== undefined && event.at !== at ? { claimedAt: event.at } : {}
  // An order number names its buyer to the site: it stays out where the event is to be nobody's.
  const nameless = event.type === 'purchase' && seen.visitor === null ? { order: undefined } : {}
  return { ...event, ...nameless, v: 1, at, ...claimed, ...seen }
}

/** @param received Unix milliseconds */
export const timeOf = ({ at }: Event, received: number): number =>
  at === undefined || at > received + AHEAD_MS || at < received - LATE_MS ? received : at

/** The line of the catalogue's log that an event about an item becomes. @param received Unix milliseconds */
export const itemRecordOf = (event: ItemEvent, received: number): ItemRecord =>
  event.type === 'item_remove'
    ? { v: 1, type: event.type, received, item: event.item }
    : { v: 1, type: event.type, received, item: event.item, fields: event.fields }

import * as v from 'valibot'
import { itemRecordOf, recordOf, type Seen } from './event-record.ts'
import { readEvent } from './read-event.ts'
import { type EventRecord, EventSchema, NativeEventSchema, type RejectedRecord } from './schemas/events.ts'
import type { ItemRecord } from './schemas/items.ts'

export const EVENTS_PREFIX = 'events/'
export const QUARANTINE_PREFIX = 'quarantine/'

/** The quarantine file that goes with a file of the archive. */
export const quarantineKey = (archiveKey: string): string => `${QUARANTINE_PREFIX}${archiveKey.slice(EVENTS_PREFIX.length)}`

/** A longer event than this is not kept. */
const LONGEST = 8000

/** Every line of the quarantine begins like this, and none of the archive does: a shard tells them apart unread. */
const BEGINNING = '{"v":1,"type":"rejected",'
export const isRejectedLine = (line: string): boolean => line.startsWith(BEGINNING)

/** Why something is in quarantine, and whether who sent it may change the catalogue. */
export type Rejection = Pick<RejectedRecord, 'offset' | 'field' | 'detail' | 'catalogue'>

/** The line for something that was sent and does not fit. */
export const rejectedLine = (value: unknown, seen: Seen, reason: Rejection): string =>
  `${JSON.stringify({ v: 1, type: 'rejected', ...seen, ...reason, event: keptText(value, seen.visitor !== null || reason.catalogue === true) } satisfies RejectedRecord)}\n`

/** The names of the contract's own fields. */
const CONTRACT: ReadonlySet<string> = new Set(NativeEventSchema.options.flatMap(({ entries }) => Object.keys(entries)))

/** Whoever did not consent is promised that nothing else of them is kept: an unknown field may hold anything. */
function keptText(value: unknown, consented: boolean): string | null {
  try {
    const kept = consented || value === null || typeof value !== 'object' ? value : pick(value)
    const text = JSON.stringify(kept)
    return text.length <= LONGEST ? text : null
  } catch {
    // Nested deeper than the stack is.
    return null
  }
}

/** Without the order number, which names its buyer to the site. */
const pick = (value: object): object => Object.fromEntries(Object.entries(value).filter(([name]) => CONTRACT.has(name) && name !== 'order'))

/** What the archive may hold besides events. */
const Erasure = v.object({ type: v.literal('erasure'), received: v.number(), visitor: v.string(), until: v.number() })
const Merge = v.object({ type: v.literal('merge'), received: v.number(), visitor: v.string(), into: v.string() })
const SeenSchema = v.object({
  v: v.literal(1, 'must be 1'),
  at: v.number('must be a time'),
  received: v.number('must be a time'),
  visitor: v.nullable(v.string('must be a pseudonym or null')),
  country: v.nullish(v.string('must be a country or null')),
  device: v.nullish(v.string('must be a class or null')),
  referrer: v.nullish(v.string('must be a class or null')),
})
const KNOWN_BESIDE = new Set(['received', 'visitor', 'country', 'device', 'referrer', 'claimedAt', 'crowd'])

/** What is wrong with a line of the archive, and what of it can be read; null where the contract holds. */
export function faultOfLine(line: string): { value: unknown; seen: Seen; field: string; detail: string } | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { value: line, seen: NOBODY, field: '', detail: 'the line is no JSON' }
  }
  if (v.is(Erasure, value) || v.is(Merge, value)) return null
  const seen = v.safeParse(SeenSchema, value)
  const event = eventPart(value)
  const issues = seen.success ? v.safeParse(EventSchema, event).issues : seen.issues
  if (issues === undefined) return null
  const field = v.getDotPath(issues[0]) ?? ''
  return { value: event, seen: seenOf(value), field, detail: `${field === '' ? 'the line' : field} ${issues[0].message}` }
}

/** A line that cannot be read does not say whose it is. */
const NOBODY: Seen = { received: 0, visitor: null, country: null, device: null, referrer: null }

function seenOf(value: unknown): Seen {
  const told = v.safeParse(v.object({ received: v.number(), visitor: v.nullable(v.string()) }), value)
  return told.success ? { ...NOBODY, ...told.output } : NOBODY
}

const eventPart = (value: unknown): unknown =>
  value !== null && typeof value === 'object'
    ? Object.fromEntries(Object.entries(value).filter(([name]) => !KNOWN_BESIDE.has(name)))
    : value

/** What goes back from quarantine: to the archive, and to the catalogue's log. */
export type Replayed = { events: EventRecord[]; changes: ItemRecord[] }

/** What a quarantined event is by the contract as it is now; null where it still does not fit. */
export function replayed(rejected: RejectedRecord): Replayed | null {
  if (rejected.event === null) return null
  let value: unknown
  try {
    value = JSON.parse(rejected.event)
  } catch {
    return null
  }
  const { received, visitor, country, device, referrer } = rejected
  const read = readEvent(value, `${visitor ?? ''} ${received}`)
  // Anyone can send anything, and it waits here: a change of the catalogue counts only from who might make it then.
  if (!read.ok || (read.change !== null && rejected.catalogue !== true)) return null
  return {
    events: read.events.map((event) => recordOf(event, { received, visitor, country, device, referrer })),
    changes: read.change === null ? [] : [itemRecordOf(read.change, received)],
  }
}

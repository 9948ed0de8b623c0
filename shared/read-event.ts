import * as v from 'valibot'
import { canonicalJson, itemHash } from './release/hash.ts'
import { type Event, EventSchema, type ItemEvent, NativeEventSchema } from './schemas/events.ts'
import type { Mapped } from './schemas/foreign.ts'
import { isGa4, readGa4 } from './schemas/ga4.ts'
import { isSegment, readSegment } from './schemas/segment.ts'

/**
 * What was sent, in the contract's terms: several events where one of others names several items. `change` is what it says
 * of the catalogue, for the caller to take only from who may.
 */
export type ReadEvent = { ok: true; id: string; events: Event[]; change: ItemEvent | null } | { ok: false; issue: v.BaseIssue<unknown> }

const NothingIn = v.pipe(v.array(v.unknown()), v.minLength(1, 'names no item'))

/**
 * Reads an event of the contract, of GA4 or of Segment.
 * @param salt tells apart who sends and, by the hour, when: an event of others without an id is counted once under both
 */
export function readEvent(value: unknown, salt: string): ReadEvent {
  if (value === null || typeof value !== 'object') return native(value)
  if (isSegment(value)) {
    const read = readSegment(value)
    return 'issue' in read
      ? { ok: false, issue: read.issue }
      : adopted(read.mapped, usableId(read.id ?? idIn(value)) ?? madeId(read.mapped, salt))
  }
  if (!isGa4(value)) return native(value)
  const read = readGa4(value)
  return 'issue' in read ? { ok: false, issue: read.issue } : adopted(read.mapped, usableId(idIn(value)) ?? madeId(read.mapped, salt))
}

function native(value: unknown): ReadEvent {
  const parsed = v.safeParse(NativeEventSchema, value)
  if (!parsed.success) return { ok: false, issue: parsed.issues[0] }
  const event = parsed.output
  return event.type === 'item_upsert' || event.type === 'item_remove'
    ? { ok: true, id: event.id, events: [], change: event }
    : { ok: true, id: event.id, events: [event], change: null }
}

/** Events of others go through the same validation as one's own. */
function adopted(mapped: Mapped[], id: string): ReadEvent {
  const events: Event[] = []
  const some = v.safeParse(NothingIn, mapped)
  if (!some.success) return { ok: false, issue: some.issues[0] }
  for (const [i, event] of mapped.entries()) {
    const parsed = v.safeParse(EventSchema, { ...event, id: i === 0 ? id : `${id.slice(0, 60)}-${i}` })
    if (!parsed.success) return { ok: false, issue: parsed.issues[0] }
    events.push(parsed.output)
  }
  return { ok: true, id, events, change: null }
}

const idIn = (value: object): string | undefined => ('id' in value && typeof value.id === 'string' ? value.id : undefined)

/** An id that does not fit the contract still tells two events apart: its hash does. */
function usableId(id: string | undefined): string | undefined {
  if (id === undefined || /^[\w-]{8,60}$/.test(id)) return id
  return hashed(id)
}

/** Of what it means, not of all that was sent: nesting without end would exhaust the stack. */
const madeId = (mapped: Mapped[], salt: string): string => hashed(`${salt} ${canonicalJson(mapped)}`)

/** 96 bits: as many events as a site will see do not collide. */
const hashed = (text: string): string => `x-${hex(itemHash(text, 1))}${hex(itemHash(text, 2))}`
const hex = (value: number): string => value.toString(16).padStart(12, '0')

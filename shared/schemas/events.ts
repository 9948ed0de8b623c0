import * as v from 'valibot'
import type { DeviceClass, ReferrerClass } from '../ranking/visit-context.ts'
import { ConsentChoice, EventId, ItemId, Referrer } from './ids.ts'

const at = v.optional(
  v.pipe(v.number('must be milliseconds since 1970'), v.integer('must be whole milliseconds'), v.minValue(0, 'must not be negative')),
)
const recommId = v.optional(v.pipe(v.string('must be a string'), v.maxLength(400, 'must be at most 400 characters')))
const position = v.optional(
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(1, 'starts at 1'),
    v.maxValue(1000, 'must be at most 1000'),
  ),
)
const price = v.optional(v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'), v.finite('must be finite')))
const quantity = v.optional(v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'), v.maxValue(1e6, 'is too large')))
const scenario = v.optional(v.pipe(v.string('must be a string'), v.maxLength(64, 'must be at most 64 characters')))
const tokenText = v.optional(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')))

/** One item was clicked, looked at or put in the cart. */
const itemEvent = <const T extends 'click' | 'item_view' | 'add_to_cart'>(type: T) =>
  v.strictObject({ id: EventId, type: v.literal(type), item: ItemId, at, recommId, position, scenario, quantity, price })

export const EventSchema = v.variant(
  'type',
  [
    itemEvent('click'),
    itemEvent('item_view'),
    itemEvent('add_to_cart'),
    v.strictObject({
      id: EventId,
      type: v.literal('impression'),
      items: v.pipe(
        v.array(ItemId, 'must be a list of item ids'),
        v.minLength(1, 'needs 1 item'),
        v.maxLength(100, 'takes at most 100 items'),
      ),
      at,
      recommId,
      scenario,
      /** What the visitor waited for these items, in milliseconds, as the browser saw it. */
      waited: v.optional(v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'))),
    }),
    v.strictObject({
      id: EventId,
      type: v.literal('purchase'),
      items: v.pipe(
        v.array(v.strictObject({ item: ItemId, quantity, price }), 'must be a list of {item, quantity, price}'),
        v.minLength(1, 'needs 1 item'),
        v.maxLength(100, 'takes at most 100 items'),
      ),
      at,
      recommId,
      order: v.optional(v.pipe(v.string('must be a string'), v.maxLength(100, 'must be at most 100 characters'))),
    }),
    v.strictObject({
      id: EventId,
      type: v.literal('custom'),
      name: v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty'), v.maxLength(64, 'must be at most 64 characters')),
      item: v.optional(ItemId),
      value: v.optional(v.number('must be a number')),
      at,
      recommId,
    }),
  ],
  'must be impression, click, item_view, add_to_cart, purchase or custom',
)
/** An event as a browser or a backend sends it (contract version 1). */
export type Event = v.InferOutput<typeof EventSchema>
export type EventType = Event['type']

/** The envelope of `POST /v1/events`; each event is validated on its own so that one bad event spoils no other. */
export const EventsBody = v.strictObject({
  writeKey: v.optional(v.pipe(v.string('must be a string'), v.maxLength(100, 'must be at most 100 characters'))),
  visitor: tokenText,
  consent: v.optional(ConsentChoice),
  token: tokenText,
  referrer: v.optional(Referrer),
  events: v.pipe(
    v.array(v.unknown(), 'must be a list'),
    v.minLength(1, 'needs at least 1 event'),
    v.maxLength(100, 'takes at most 100 events'),
  ),
})

/** What one event came to. */
export type EventResult = { id: string; status: 'accepted' } | { id: string | null; status: 'rejected'; field: string; detail: string }

export type EventsAnswer = {
  results: EventResult[]
  /** The sealed memory token to send with the next request; absent without consent or without a visitor. */
  token?: string
}

/** One line of the event archive (`events/date=…/*.ndjson` in R2): the event plus what the edge knows of it. */
export type EventRecord = Event & {
  v: 1
  /** Unix milliseconds at which the edge took the event. */
  received: number
  /** Pseudonymous visitor (keyed hash, 16 hex digits); null without consent. */
  visitor: string | null
  /** ISO country, or null where the network did not say. */
  country: string | null
  /** How the visitor came, in classes; null where nobody said, and without consent. */
  device: DeviceClass | null
  referrer: ReferrerClass | null
  /** The client's own time, where it could not be right (too far ahead, or too old); `at` is then the edge's. */
  claimedAt?: number
}

/** The line an erasure leaves in the archive: nothing this pseudonym did up to `until` (Unix milliseconds) may be learned from. */
export type ErasureRecord = { v: 1; id: string; type: 'erasure'; received: number; visitor: string; until: number }

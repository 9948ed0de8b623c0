import * as v from 'valibot'
import type { DeviceClass, ReferrerClass } from '../ranking/visit-context.ts'
import { ConsentChoice, EventId, ItemId, Referrer } from './ids.ts'
import { ItemFields } from './items.ts'

/** The version of the contract that this code speaks; events of another one wait in quarantine for code that knows it. */
export const EVENT_VERSION = 1

/** A field that may be left out, with what the documentation says of it. */
const field = <S extends v.GenericSchema>(schema: S, about: string) => v.optional(v.pipe(schema, v.description(about)))
const needed = <S extends v.GenericSchema>(schema: S, about: string) => v.pipe(schema, v.description(about))
const text = (most: number) => v.pipe(v.string('must be a string'), v.maxLength(most, `must be at most ${most} characters`))
const whole = (least: number, most: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
    v.maxValue(most, `must be at most ${most}`),
  )
const listOf = <S extends v.GenericSchema>(of: S, message: string) =>
  v.pipe(v.array(of, message), v.minLength(1, 'needs 1 item'), v.maxLength(100, 'takes at most 100 items'))
const tokenText = v.optional(text(2000))

const amount = {
  quantity: field(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'), v.maxValue(1e6, 'is too large')),
    'how many, at most a million',
  ),
  price: field(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'), v.finite('must be finite')),
    'of one, in the currency of the catalogue',
  ),
}

/** What every event has. */
const common = {
  id: needed(EventId, 'made by the client: 8 to 64 letters, digits, `-`, `_` (a ULID, a UUID). The same id twice is one event'),
  v: field(
    v.literal(EVENT_VERSION, `must be ${EVENT_VERSION}, the version this deployment knows`),
    'version of the contract; 1 where it is left out',
  ),
  at: field(
    v.pipe(v.number('must be milliseconds since 1970'), v.integer('must be whole milliseconds'), v.minValue(0, 'must not be negative')),
    'when it happened, milliseconds since 1970; left out, when it was received',
  ),
  recommId: field(text(400), 'of the answer that showed the items'),
}
export const commonFields = Object.keys(common)

const list = field(text(200), 'id of the list it was in, where that is not an answer of Nightjar’s')
const scenario = field(text(64), 'of the answer')

/** One item was clicked, looked at or put in the cart. */
const itemEvent = <const T extends 'click' | 'item_view' | 'add_to_cart'>(type: T, about: string) =>
  v.pipe(
    v.strictObject({
      ...common,
      type: v.literal(type),
      item: needed(ItemId, 'its id'),
      position: field(whole(1, 1000), 'place in the list, from 1'),
      list,
      scenario,
      ...amount,
    }),
    v.description(about),
  )

export const EventSchema = v.variant(
  'type',
  [
    v.pipe(
      v.strictObject({
        ...common,
        type: v.literal('impression'),
        items: needed(listOf(ItemId, 'must be a list of item ids'), '1 to 100 ids, in the order in which they were shown'),
        positions: field(v.array(whole(1, 1000), 'must be a list of places'), 'the place of each in the list; left out, 1, 2, 3 …'),
        list,
        scenario,
        waited: field(
          v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative')),
          'what the visitor waited for them, in ms, as the browser saw it',
        ),
      }),
      v.check(
        ({ items, positions }) => positions === undefined || positions.length === items.length,
        'needs one of positions for each item',
      ),
      v.description('shown: with the clicks on it, where visitors look'),
    ),
    itemEvent('click', 'interest'),
    itemEvent('item_view', 'interest'),
    itemEvent('add_to_cart', 'more of it'),
    v.pipe(
      v.strictObject({
        ...common,
        type: v.literal('purchase'),
        items: needed(
          listOf(v.strictObject({ item: ItemId, ...amount }), 'must be a list of {item, quantity, price}'),
          '1 to 100 of `{item, quantity, price}`',
        ),
        order: field(text(100), 'its number'),
      }),
      v.description('most of it'),
    ),
    v.pipe(
      v.strictObject({
        ...common,
        type: v.literal('custom'),
        name: needed(v.pipe(text(64), v.nonEmpty('must not be empty')), 'your own'),
        item: field(ItemId, 'what it was about'),
        value: field(v.number('must be a number'), 'your own'),
      }),
      v.description('archived, not learned from'),
    ),
    v.pipe(
      v.strictObject({
        ...common,
        type: v.literal('consent'),
        consent: needed(ConsentChoice, '`granted`, `denied` or `unknown`, or such a word for each purpose'),
      }),
      v.description('the visitor’s word; holds for the whole POST where the envelope has none'),
    ),
  ],
  'must be impression, click, item_view, add_to_cart, purchase, custom or consent',
)
/** What a visitor did, as a browser or a backend sends it. */
export type Event = v.InferOutput<typeof EventSchema>

/** What a backend says of the catalogue: the same as `PUT` and `DELETE /v1/items`, among its other events. */
export const ItemEventSchema = v.variant('type', [
  v.pipe(
    v.strictObject({
      ...common,
      type: v.literal('item_upsert'),
      item: needed(ItemId, 'its id'),
      fields: needed(
        ItemFields,
        `what is to be said of it, of ${Object.keys(ItemFields.entries)
          .map((name) => `\`${name}\``)
          .join(', ')}; what is left out stays as it was`,
      ),
    }),
    v.description('the catalogue, live without a night; only from a backend'),
  ),
  v.pipe(
    v.strictObject({ ...common, type: v.literal('item_remove'), item: needed(ItemId, 'its id') }),
    v.description('the item is gone from the catalogue; only from a backend'),
  ),
])
export type ItemEvent = v.InferOutput<typeof ItemEventSchema>
const itemEventTypes: readonly unknown[] = ItemEventSchema.options.map(({ entries }) => entries.type.literal)

/** Whether something, well-formed or not, is meant for the catalogue. */
export const isMeantForCatalogue = (value: unknown): boolean =>
  value !== null && typeof value === 'object' && 'type' in value && itemEventTypes.includes(value.type)

/** Everything that `POST /v1/events` takes of one's own. */
export const NativeEventSchema = v.variant(
  'type',
  [...EventSchema.options, ...ItemEventSchema.options],
  'must be impression, click, item_view, add_to_cart, purchase, custom, consent, item_upsert or item_remove',
)

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
  /** One more behind its network than count in a day: archived, and nobody's. */
  crowd?: true
}

/** The line an erasure leaves in the archive: nothing this pseudonym did up to `until` (Unix milliseconds) may be learned from. */
export type ErasureRecord = { v: 1; id: string; type: 'erasure'; received: number; visitor: string; until: number }

/**
 * A line of the quarantine (`quarantine/date=…/*.ndjson` in R2): an event that fits no contract this code knows, with the
 * reason, where it stood (`events[3]` of a POST, or file and line of the archive) and, as JSON text, what was sent.
 */
export type RejectedRecord = {
  v: 1
  type: 'rejected'
  received: number
  visitor: string | null
  country: string | null
  device: DeviceClass | null
  referrer: ReferrerClass | null
  offset: string
  field: string
  detail: string
  /** Without consent only the contract's own fields of it; null where there is none, or it is too long to keep. */
  event: string | null
  /** Sent by a backend that may change the catalogue: only what came so is ever taken for a change of it. */
  catalogue?: true
}

/** The line a login leaves in the archive: what `visitor` did, `into` did. */
export type MergeRecord = { v: 1; id: string; type: 'merge'; received: number; visitor: string; into: string }

import * as v from 'valibot'
import { ItemId } from './ids.ts'
import type { ItemValues } from './recommendations.ts'

/** Where the changes of the catalogue are logged for the night. */
export const ITEMS_PREFIX = 'items/'

const text = (most: number) => v.pipe(v.string('must be a string'), v.maxLength(most, `must be at most ${most} characters`))
const texts = (most: number, long: number) =>
  v.pipe(v.array(text(long), 'must be a list of texts'), v.maxLength(most, `takes at most ${most}`))
const about = <S extends v.GenericSchema>(schema: S, words: string) => v.optional(v.pipe(schema, v.description(words)))

/** Milliseconds since 1970, as far as a Date goes. */
const Milliseconds = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(8.64e15))
/** A moment as milliseconds since 1970 or as ISO 8601. What it becomes is a moment too: that is how it is kept, and read again. */
const Moment = v.union(
  [
    Milliseconds,
    v.pipe(
      v.string(),
      v.transform((value) => Date.parse(value)),
      Milliseconds,
    ),
  ],
  'must be a time: ISO 8601, or milliseconds since 1970',
)

const MOST_PROPERTIES = 30

/** What the catalogue says of an item; what is left out stays as it was. */
export const ItemFields = v.strictObject({
  title: about(text(500), 'what pages show'),
  category: about(text(200), 'where it belongs; by default the first of `categories`'),
  categories: about(texts(20, 200), 'all it belongs to'),
  price: about(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must not be negative'), v.finite('must be finite')),
    'in the currency of the catalogue',
  ),
  url: about(text(2000), 'its page'),
  image: about(text(2000), 'its picture'),
  tags: about(texts(50, 100), 'what it is like'),
  available: about(v.boolean('must be true or false'), 'in stock; true until told otherwise'),
  from: about(Moment, 'not shown before'),
  until: about(Moment, 'not shown from then on'),
  properties: about(
    v.pipe(
      v.record(
        text(60),
        v.union(
          [text(1000), v.pipe(v.number(), v.finite()), v.boolean(), texts(50, 200)],
          'must be a text, a number, true or false, or a list of texts',
        ),
      ),
      v.check((record) => Object.keys(record).length <= MOST_PROPERTIES, `takes at most ${MOST_PROPERTIES}`),
    ),
    'whatever else pages show',
  ),
})
export type ItemFields = v.InferOutput<typeof ItemFields>

/** An item of `PUT /v1/items`. */
export const ItemSchema = v.strictObject({ id: ItemId, ...ItemFields.entries })

/** `PUT /v1/items`: each item is judged on its own, so that a bad one spoils no other. */
export const ItemsBody = v.strictObject({
  items: v.optional(v.pipe(v.array(v.unknown(), 'must be a list'), v.maxLength(1000, 'takes at most 1000 items')), []),
  remove: v.optional(v.pipe(v.array(ItemId, 'must be a list of item ids'), v.maxLength(1000, 'takes at most 1000 ids')), []),
})

/** One change of the catalogue, a line of `items/date=…/*.ndjson` in R2. `received` in Unix milliseconds. */
export type ItemRecord = { v: 1; received: number; item: string } & ({ type: 'item_upsert'; fields: ItemFields } | { type: 'item_remove' })

/** What became of a bulk of items. */
export type ItemsAnswer = {
  accepted: number
  rejected: { index: number; id: string | null; field: string; detail: string }[]
  /** How many changed items the edge shows beside the release now. */
  live: number
}

/** An item that changed since the night, as the overlay carries it. */
export const LiveItem = v.strictObject({
  item: ItemId,
  /** When it changed last, and when it was first heard of; Unix milliseconds. */
  at: v.number(),
  first: v.number(),
  removed: v.boolean(),
  fields: ItemFields,
  /** For an item the release does not know: what it is like, with weights 0 … 1, best first. */
  like: v.array(v.strictObject({ item: ItemId, weight: v.number() })),
})
export type LiveItem = v.InferOutput<typeof LiveItem>

/** The state after a change: what is not said stays, and what was removed begins anew. Of too many properties those said last stay. */
export function changed(before: LiveItem | undefined, change: ItemRecord): LiveItem {
  const { item, received } = change
  if (change.type === 'item_remove') return { item, at: received, first: before?.first ?? received, removed: true, fields: {}, like: [] }
  const kept: Pick<LiveItem, 'first' | 'fields'> = before === undefined || before.removed ? { first: received, fields: {} } : before
  const said = new Set(Object.keys(change.fields.properties ?? {}))
  const all = Object.entries({ ...kept.fields.properties, ...change.fields.properties })
  const surplus = all.filter(([name]) => !said.has(name)).slice(0, Math.max(0, all.length - MOST_PROPERTIES))
  const properties = Object.fromEntries(all.filter((entry) => !surplus.includes(entry)))
  const fields = { ...kept.fields, ...change.fields, ...(Object.keys(properties).length > 0 && { properties }) }
  return { item, at: received, first: kept.first, removed: false, fields, like: [] }
}

/** What pages draw. */
export function valuesOf({ title, categories, price, url, image, tags, properties, ...rest }: ItemFields): ItemValues {
  const category = rest.category ?? categories?.[0]
  return {
    ...properties,
    ...(title !== undefined && { title }),
    ...(category !== undefined && { category }),
    ...(categories !== undefined && { categories }),
    ...(price !== undefined && { price }),
    ...(url !== undefined && { url }),
    ...(image !== undefined && { image }),
    ...(tags !== undefined && { tags }),
  }
}

/** Whether its window is open. @param now Unix milliseconds */
export const isOpen = ({ from, until }: Pick<ItemFields, 'from' | 'until'>, now: number): boolean =>
  now >= (from ?? 0) && now < (until ?? Number.POSITIVE_INFINITY)

import * as v from 'valibot'

/** Helpers for the events of others: what they call a thing, read as generously as their own tools do. */

/** Some taggers send numbers as text. */
export const loose = v.optional(
  v.nullable(v.union([v.number(), v.pipe(v.string(), v.trim(), v.regex(/^-?\d+(\.\d+)?$/), v.transform(Number))], 'must be a number')),
)
/** Ids come as numbers as well. */
export const looseId = v.optional(
  v.nullable(v.union([v.string(), v.pipe(v.number(), v.transform(String))], 'must be a string or a number')),
)

/** An item as GA4 and Segment know it: `place` counts from 1. */
export type ForeignItem = {
  item: string | undefined
  quantity?: number | undefined
  price?: number | undefined
  place?: number | undefined
}

/** What an event of others becomes before it gets its id: fields of the contract, not yet validated. */
export type Mapped = { type: string; at?: number | undefined; [field: string]: unknown }

/** What taggers leave open is null, and must not be taken for a value. */
export const present = <T>(value: T | null | undefined): T | undefined => value ?? undefined

/** A place outside the contract's range says nothing. */
export const placeOf = (place: number | undefined): number | undefined =>
  place !== undefined && Number.isInteger(place) && place >= 1 && place <= 1000 ? place : undefined

/** One event an item. */
export const eachItem = (type: 'click' | 'item_view' | 'add_to_cart', items: ForeignItem[], list: string | undefined): Mapped[] =>
  items.map(({ item, quantity, price, place }) => ({ type, item, quantity, price, position: placeOf(place), list }))

/** More than the contract takes at once become several. */
const MOST_SHOWN = 100

export function shownItems(items: ForeignItem[], list: string | undefined): Mapped[] {
  const parts = Array.from({ length: Math.ceil(items.length / MOST_SHOWN) }, (_, i) => ({ first: i * MOST_SHOWN }))
  return parts.map(({ first }) => {
    const part = items.slice(first, first + MOST_SHOWN)
    const positions = part.map(({ place }, i) => placeOf(place) ?? first + i + 1)
    return { type: 'impression', items: part.map(({ item }) => item), positions: positions.map((place) => Math.min(place, 1000)), list }
  })
}

export const bought = (items: ForeignItem[], order: string | undefined): Mapped[] => [
  { type: 'purchase', order, items: items.map(({ item, quantity, price }) => ({ item, quantity, price })) },
]

/** What is archived and not learned from. */
export const otherEvent = (name: string, item: string | undefined, value: number | undefined): Mapped[] => [
  { type: 'custom', name: name.slice(0, 64), item, value },
]

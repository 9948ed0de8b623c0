import * as v from 'valibot'
import { bought, eachItem, type ForeignItem, loose, looseId, type Mapped, otherEvent, present, shownItems } from './foreign.ts'

/**
 * An ecommerce event of Google Analytics 4, as gtag and the Measurement Protocol have it (`{name, params}`) or as it
 * stands in the data layer (`{event, ecommerce}`). Parameters: developers.google.com/analytics/devguides/collection/ga4/reference/events.
 */
const Item = v.looseObject({
  item_id: looseId,
  item_name: looseId,
  item_list_id: looseId,
  item_list_name: looseId,
  index: loose,
  price: loose,
  quantity: loose,
})
const Parameters = v.looseObject({
  items: v.optional(v.pipe(v.array(Item, 'must be a list of items'), v.maxLength(200, 'takes at most 200 items'))),
  item_list_id: looseId,
  item_list_name: looseId,
  transaction_id: looseId,
  value: loose,
})
export const Ga4Event = v.looseObject({
  name: v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty')),
  params: v.optional(Parameters, {}),
  timestamp_micros: loose,
})

/** The events that are learned from. */
export const ga4Events: Record<string, 'impression' | 'click' | 'item_view' | 'add_to_cart' | 'purchase'> = {
  view_item_list: 'impression',
  select_item: 'click',
  view_item: 'item_view',
  add_to_cart: 'add_to_cart',
  purchase: 'purchase',
}

export const isGa4 = (value: object): boolean =>
  !('type' in value) && (('name' in value && !('event' in value)) || ('event' in value && 'ecommerce' in value))

/** The data layer's form as the other one. */
const plain = (value: object): object =>
  'ecommerce' in value && 'event' in value ? { ...value, name: value.event, params: value.ecommerce ?? {} } : value

/** @returns what it means in the contract's terms, or what is wrong with it */
export function readGa4(value: object): { mapped: Mapped[] } | { issue: v.BaseIssue<unknown> } {
  const parsed = v.safeParse(Ga4Event, plain(value))
  if (!parsed.success) return { issue: parsed.issues[0] }
  const { name, params, timestamp_micros: micros } = parsed.output
  const at = typeof micros === 'number' ? Math.floor(micros / 1000) : undefined
  return { mapped: meaning(name, params).map((event) => ({ ...event, at })) }
}

function meaning(name: string, params: v.InferOutput<typeof Parameters>): Mapped[] {
  const items = (params.items ?? []).map(
    (item): ForeignItem => ({
      item: present(item.item_id) ?? present(item.item_name),
      quantity: present(item.quantity),
      price: present(item.price),
      // Counts from 0.
      place: typeof item.index === 'number' ? item.index + 1 : undefined,
    }),
  )
  const first = params.items?.[0]
  const list =
    present(params.item_list_id) ?? present(params.item_list_name) ?? present(first?.item_list_id) ?? present(first?.item_list_name)
  const type = ga4Events[name]
  if (type === undefined) return otherEvent(name, items[0]?.item, present(params.value))
  if (type === 'impression') return shownItems(items, list)
  return type === 'purchase' ? bought(items, present(params.transaction_id)) : eachItem(type, items, list)
}

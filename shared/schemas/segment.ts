import * as v from 'valibot'
import { bought, eachItem, type ForeignItem, loose, looseId, type Mapped, otherEvent, present, shownItems } from './foreign.ts'

/** A `track` call of Segment's ecommerce specification: segment.com/docs/connections/spec/ecommerce/v2. */
const productFields = { product_id: looseId, sku: looseId, position: loose, price: loose, quantity: loose }
const Product = v.looseObject(productFields)
export const SegmentEvent = v.looseObject({
  event: v.pipe(v.string('must be a string'), v.nonEmpty('must not be empty')),
  messageId: looseId,
  timestamp: v.optional(v.union([v.string(), v.number()], 'must be a time')),
  properties: v.optional(
    v.looseObject({
      ...productFields,
      products: v.optional(v.pipe(v.array(Product, 'must be a list of products'), v.maxLength(200, 'takes at most 200 products'))),
      list_id: looseId,
      category: looseId,
      order_id: looseId,
      value: loose,
    }),
    {},
  ),
})

/** The events that are learned from; those of the first version of the specification stand for those of the second. */
export const segmentEvents: Record<string, 'impression' | 'click' | 'item_view' | 'add_to_cart' | 'purchase'> = {
  'Product List Viewed': 'impression',
  'Viewed Product Category': 'impression',
  'Product Clicked': 'click',
  'Clicked Product': 'click',
  'Product Viewed': 'item_view',
  'Viewed Product': 'item_view',
  'Product Added': 'add_to_cart',
  'Added Product': 'add_to_cart',
  'Order Completed': 'purchase',
  'Completed Order': 'purchase',
}

export const isSegment = (value: object): boolean => 'type' in value && value.type === 'track'

/** @returns what it means in the contract's terms and the id it has already, or what is wrong with it */
export function readSegment(value: object): { mapped: Mapped[]; id: string | undefined } | { issue: v.BaseIssue<unknown> } {
  const parsed = v.safeParse(SegmentEvent, value)
  if (!parsed.success) return { issue: parsed.issues[0] }
  const { event, messageId, timestamp, properties } = parsed.output
  const time = timestamp === undefined ? Number.NaN : new Date(timestamp).getTime()
  const at = Number.isNaN(time) || time < 0 ? undefined : time
  return { mapped: meaning(event, properties).map((mapped) => ({ ...mapped, at })), id: present(messageId) }
}

type Properties = v.InferOutput<typeof SegmentEvent>['properties']

function meaning(name: string, properties: Properties): Mapped[] {
  const type = segmentEvents[name]
  const list = present(properties.list_id) ?? present(properties.category)
  const products = (properties.products ?? []).map(itemOf)
  const own = itemOf(properties)
  if (type === undefined) return otherEvent(name, own.item ?? products[0]?.item, present(properties.value))
  // The first version of the specification knows the category of a list, and not what was in it.
  if (type === 'impression') return products.length === 0 ? otherEvent(name, undefined, undefined) : shownItems(products, list)
  return type === 'purchase' ? bought(products, present(properties.order_id)) : eachItem(type, [own], present(properties.list_id))
}

const itemOf = (product: v.InferOutput<typeof Product>): ForeignItem => ({
  item: present(product.product_id) ?? present(product.sku),
  quantity: present(product.quantity),
  price: present(product.price),
  place: present(product.position),
})

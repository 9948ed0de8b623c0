import type { Deed } from '../shared/ranking/release-view.ts'
import type { ItemValues } from '../shared/schemas/recommendations.ts'

/** An item as the night knows it; `values` is what pages draw. */
export type CatalogueItem = {
  id: string
  values: ItemValues
  /** '' = none. */
  category: string
  /** 0 = unknown. */
  price: number
  available: boolean
  /** Unix seconds; when it was listed, or first touched where the catalogue does not say. */
  firstSeen: number
}

/** Columns over deeds (impressions are not deeds), ordered by (visitor, at, order of arrival). */
export type Deeds = {
  count: number
  visitor: Uint32Array
  item: Uint32Array
  /** Unix seconds. */
  at: Uint32Array
  deed: Uint8Array
  /** Numbered from 0 over all visitors; a basket, a visit, or deeds without a pause of 30 minutes. */
  session: Uint32Array
  /** Index into `countries`. */
  country: Uint8Array
}

/** What the night learns from: cleaned, deduplicated, dictionary-coded; same input, same bytes. */
export type Dataset = {
  source: string
  /** In ascending order of the id's UTF-8 bytes: position = item index. */
  items: CatalogueItem[]
  /** The visitor ids (as imported, or pseudonyms of 16 hex digits for the edge's own events). */
  visitors: string[]
  /** Whether visitor i is known to the edge under the pseudonym itself (true) or by an imported id (false). */
  pseudonymous: Uint8Array
  /** ISO 3166-1 alpha-2, or '' where unknown. */
  countries: string[]
  deeds: Deeds
  /** Unix seconds: first and last deed. */
  from: number
  to: number
  /** Hash over all of the above. */
  fingerprint: string
  /** Pseudonyms of visitors who had themselves erased at the edge. */
  erased: string[]
  /** How many input rows were left out, by reason. */
  dropped: Record<string, number>
}

/** The deed an event type stands for; impressions and custom events are not deeds. */
export const deedOf: Record<'click' | 'item_view' | 'add_to_cart' | 'purchase', Deed> = {
  click: 0,
  item_view: 0,
  add_to_cart: 1,
  purchase: 2,
}

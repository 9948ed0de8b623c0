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
  /** How much the deed counts beside others: WHOLE where its source does not say, less, but at least 1, where it does. */
  weight: Uint8Array
  /** Index into `countries`. */
  country: Uint8Array
  /** 0 where unknown, else 1 + the index among `deviceClasses` and `referrerClasses` (shared/ranking/visit-context.ts). */
  device: Uint8Array
  referrer: Uint8Array
}

export const WHOLE = 255

/** Columns over what the edge's visitors were shown, one row an item of a list, ordered by (at, list, position). */
export type Impressions = {
  count: number
  /** Index into `visitors`; NOBODY for who did nothing but look. */
  visitor: Uint32Array
  item: Uint32Array
  /** Place in the list, from 1 on; at most 100. */
  position: Uint8Array
  /** Numbered from 0 on by `recommId`. */
  list: Uint32Array
  /** Unix seconds. */
  at: Uint32Array
  /** Unix seconds at which the visitor first clicked the item of this list; 0 = did not. */
  clickedAt: Uint32Array
}
export const NOBODY = 0xffff_ffff

export const noImpressions = (): Impressions => ({
  count: 0,
  visitor: new Uint32Array(0),
  item: new Uint32Array(0),
  position: new Uint8Array(0),
  list: new Uint32Array(0),
  at: new Uint32Array(0),
  clickedAt: new Uint32Array(0),
})

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
  /** Empty where nothing was shown. */
  impressions: Impressions
  /** Unix seconds: first and last deed. */
  from: number
  to: number
  /** Unix milliseconds of the newest change of the catalogue; undefined where there was none. */
  catalogueAt?: number
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

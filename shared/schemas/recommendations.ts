import * as v from 'valibot'
import { ConsentChoice, ItemId, Referrer, Region } from './ids.ts'

export const scenarios = ['home', 'similar', 'bought-together', 'cart', 'trending', 'popular', 'recently-viewed'] as const
export type Scenario = (typeof scenarios)[number]
export const ScenarioSchema = v.picklist(scenarios, `must be one of ${scenarios.join(', ')}`)

/** What can be had as a public list, the same for everyone in a region. */
export const listScenarios = ['popular', 'trending', 'home'] as const
export type ListScenario = (typeof listScenarios)[number]

const whole = (low: number, high: number) =>
  v.pipe(
    v.number('must be a number'),
    v.integer('must be a whole number'),
    v.minValue(low, `must be at least ${low}`),
    v.maxValue(high, `must be at most ${high}`),
  )
const ids = (most: number) => v.pipe(v.array(ItemId, 'must be a list of item ids'), v.maxLength(most, `takes at most ${most} ids`))
const money = v.pipe(v.number('must be a number'), v.finite('must be finite'), v.minValue(0, 'must not be negative'))

/** Conditions an item must meet; all of them. */
export const FilterSchema = v.strictObject({
  category: v.optional(
    v.union([v.string(), v.pipe(v.array(v.string()), v.maxLength(20, 'takes at most 20'))], 'must be a category or a list of categories'),
  ),
  minPrice: v.optional(money),
  maxPrice: v.optional(money),
  /** Only items in stock (true, the default) or all of them (false). */
  available: v.optional(v.boolean('must be true or false')),
})
export type Filter = v.InferOutput<typeof FilterSchema>

/** What a recommendation can be asked for. `GET` takes the same names as query parameters, `POST` as a JSON body. */
const asked = {
  scenario: v.optional(ScenarioSchema, 'home'),
  /** The item the page is about (similar, bought-together). */
  item: v.optional(ItemId),
  /** Several items (a cart), 1 to 20. */
  items: v.optional(v.pipe(ids(20), v.minLength(1, 'needs at least 1 id'))),
  limit: v.optional(whole(1, 100), 20),
  offset: v.optional(whole(0, 200), 0),
  exclude: v.optional(ids(200), []),
  filter: v.optional(FilterSchema, {}),
  /** Leave out what the visitor already bought. */
  excludePurchased: v.optional(v.boolean('must be true or false'), false),
  /** Say, item by item, where the score comes from. */
  explain: v.optional(v.boolean('must be true or false'), false),
}

/** Who asks, and from where. */
const asking = {
  writeKey: v.optional(v.pipe(v.string('must be a string'), v.maxLength(100, 'must be at most 100 characters'))),
  visitor: v.optional(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters'))),
  token: v.optional(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters'))),
  consent: v.optional(ConsentChoice),
  region: v.optional(Region),
}

export const RecommendationQuery = v.strictObject(asked)
export const RecommendationBody = v.strictObject({ ...asked, ...asking, referrer: v.optional(Referrer) })

/** As many items as `POST /v1/rank` puts in order at once. */
const MOST_RANKED = 500
/** `POST /v1/rank`: items of the caller's own choice, to be put in the visitor's order. */
export const RankBody = v.strictObject({ items: v.pipe(ids(MOST_RANKED), v.minLength(1, 'needs at least 1 id')), ...asking })
export type RankRequest = v.InferOutput<typeof RankBody>

/**
 * What a Worker that is being measured (BENCH = on) takes as well: the scenario `bench`, which is the ranking alone. The
 * current item is left out of it: `item`, else the newest one of the history; with `again` it may be shown.
 */
export const MeasuredBody = v.strictObject({
  ...RecommendationBody.entries,
  scenario: v.optional(v.picklist([...scenarios, 'bench'], `must be one of ${scenarios.join(', ')}, bench`), 'home'),
  again: v.optional(v.boolean('must be true or false')),
})
export type RecommendationRequest = v.InferOutput<typeof MeasuredBody>

/** Where BENCH is on: Unix milliseconds that count as the time of the request. */
export const NOW_HEADER = 'x-nightjar-now'

/** How an answer came to be, best first. Each rung is what is left when the one above it failed. */
export const rungs = ['onnx', 'reference', 'list-order', 'region-list', 'global-list', 'previous-release', 'bundled'] as const
export type Rung = (typeof rungs)[number]

/** Why an item is in the slate, most telling first; the page turns it into words. */
export type Reason =
  | { code: 'similar-to' | 'bought-with'; item: string; title?: string }
  | { code: 'popular-in' | 'trending-in'; region: string }
  | { code: 'popular-with-cohort'; cohort: number }
  | { code: 'again' | 'viewed' | 'chosen' | 'new' }

export const sources = ['neighbours', 'together', 'cohort-list', 'region-list', 'trending', 'new', 'history'] as const
export type Source = (typeof sources)[number]

/** An item's properties as the catalogue gave them; what a page needs to draw it. */
export type ItemValues = {
  title?: string
  category?: string
  price?: number
  url?: string
  image?: string
  [property: string]: string | number | boolean | string[] | undefined
}

export type RecommendedItem = {
  id: string
  /**
   * On the rungs `onnx` and `reference` the probability that the visitor takes the item next, 0 … 1, where the release is
   * calibrated; else a score that compares within one answer only.
   */
  score: number
  /** 1 is first; counts from the offset. */
  position: number
  source: Source
  reasons: Reason[]
  values: ItemValues
  /** Only with `explain`: the value of every feature by name and each source's own score. */
  explain?: { features: Record<string, number>; sources: Partial<Record<Source, number>> }
}

export type RecommendationAnswer = {
  recommId: string
  items: RecommendedItem[]
  /** Null when no release could be read at all. */
  release: string | null
  rung: Rung
  /**
   * The nearest to the history; for a visitor without clicks the likeliest by the context of the visit, where the release has
   * entry cohorts. Null else, and without consent.
   */
  cohort: number | null
  region: string
}

/** One of the items that were sent. */
export type RankedItem = {
  id: string
  /** As a recommended item's score; null where the release does not know the item, which then stands at the end. */
  score: number | null
  position: number
}

export type RankAnswer = Pick<RecommendationAnswer, 'recommId' | 'release' | 'rung' | 'cohort' | 'region'> & { items: RankedItem[] }

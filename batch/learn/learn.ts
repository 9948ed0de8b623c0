import { foldIn } from '../../shared/ranking/cohort.ts'
import type { Core } from '../../shared/release/core-pack.ts'
import type { ListInput } from '../../shared/release/list-pack.ts'
import type { EntryTables, RecallParameters } from '../../shared/release/manifest.ts'
import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { withContentNeighbours } from './content-neighbours.ts'
import { contentRows } from './content-rows.ts'
import { entryTables } from './entry-tables.ts'
import { type FamilyWeights, learnFamilies } from './families.ts'
import { endBefore, historyReader, visitorStarts } from './histories.ts'
import { type Interactions, interactions, type Window } from './interactions.ts'
import { describeItems, isNew, sumByItem } from './item-facts.ts'
import { sphericalKMeans } from './k-means.ts'
import { estimateLists, type ListOptions, type Lists } from './lists.ts'
import { mergeNeighbours, rowLength, unitScale } from './merge-neighbours.ts'
import { nextItems } from './together.ts'
import { itemVectors } from './vectors.ts'

/** All that is learned from a window, before it is packed. */
export type Learned = {
  core: Core
  /** By item index. */
  neighbours: NeighbourInput[]
  lists: ListInput[]
  regions: string[]
  /** Undefined without cohorts. */
  entry: EntryTables | undefined
  strengths: Lists['strengths']
  idSalt: number
  /** Visitors by cohort, as the report shows them. */
  cohortSizes: number[]
}

const STEPS = 5
/** How much the very next step counts in what an item's row holds, of what "together" counts. */
const NEXT_SHARE = 0.3

/**
 * Learns everything but the ranker from the deeds before `window.until`.
 * @param known what the families have learned from this window already
 */
export async function learn(
  window: Window,
  config: Config,
  recall: RecallParameters,
  advance: (done: number, total?: number) => Promise<void>,
  known?: FamilyWeights,
): Promise<Learned> {
  const { dataset, until } = window
  const recent = interactions(window, config.halfLifeDays)
  const kinds = known ?? (await learnFamilies(window, config))
  await advance(1, STEPS)
  const next = unitScale(nextItems(window, { halfLifeDays: config.togetherHalfLifeDays, minVisitors: config.minVisitors }))
  const shares = { similar: 1 - config.mix, together: config.mix, next: NEXT_SHARE * config.mix }
  const most = rowLength({ ...kinds, next }, config.neighboursPerItem)
  const byBehaviour = mergeNeighbours({ ...kinds, next }, shares, most)
  await advance(2, STEPS)
  const { dimensions, content } = config
  const vectors = await itemVectors(contentRows(dataset), recent, (item) => byBehaviour[item].items.length > 0, config)
  const neighbours =
    content > 0
      ? await withContentNeighbours(
          byBehaviour,
          newcomers(window, recent, config),
          shownWorth(recent, config),
          { vectors, dimensions },
          most,
        )
      : byBehaviour
  await advance(3, STEPS)
  const { core, idSalt } = await describeItems(window, recent, vectors, config)
  const { centroids, cohort, cohortSizes } = await formCohorts(window, core, config, recall)
  await advance(4, STEPS)
  const withCohorts = { ...core, cohorts: centroids.length / core.dimensions, centroids }
  const membership = { country: homeCountries(dataset, until), cohort, cohorts: withCohorts.cohorts }
  const { lists, regions, strengths } = estimateLists(recent.byVisitor, membership, listOptions(config))
  const entry = entryTables(window, membership, config.minCohort)
  return { core: withCohorts, neighbours, lists, regions, entry, strengths, idSalt, cohortSizes }
}

const listOptions = ({ listLength, minVisitors, minCohort }: Config): ListOptions => ({
  length: listLength,
  minVisitors,
  minCohort,
  minCountry: 5,
})

/** By item, 1 for the new ones with too few visitors for a neighbour: what had its days and drew nobody has no claim to a place. */
const newcomers = (window: Window, recent: Interactions, config: Config): Uint8Array =>
  Uint8Array.from(recent.itemVisitors, (visitors, item) => (visitors < config.minVisitors && isNew(window, recent, config, item) ? 1 : 0))

/** By item, 0 … 1: its popularity on a logarithmic scale, beside the most popular's; 0 where too few visitors had it to tell. */
function shownWorth(recent: Interactions, { minVisitors }: Config): Float64Array {
  const worth = sumByItem(recent).map((value, item) => (recent.itemVisitors[item] < minVisitors ? 0 : Math.log1p(value)))
  const most = worth.reduce((top, value) => Math.max(top, value), 0)
  return most > 0 ? worth.map((value) => value / most) : worth
}

/** The fold-ins of all visitors who have one. */
function* placesOf({ dataset, until }: Window, core: Core, recall: RecallParameters): Generator<{ visitor: number; place: Float32Array }> {
  const starts = visitorStarts(dataset)
  const historyOf = historyReader(dataset.deeds, core.items, recall.historyItems)
  for (let visitor = 0; visitor < dataset.visitors.length; visitor++) {
    const end = endBefore(dataset.deeds, starts[visitor], starts[visitor + 1], until)
    const place = foldIn(core, historyOf(starts[visitor], end, until), recall)
    if (place !== undefined) yield { visitor, place }
  }
}

async function formCohorts(
  { dataset, until }: Window,
  core: Core,
  config: Config,
  recall: RecallParameters,
): Promise<{ centroids: Float32Array<ArrayBuffer>; cohort: Int32Array; cohortSizes: number[] }> {
  const placed: number[] = []
  const folded = new Float32Array(dataset.visitors.length * core.dimensions)
  for (const { visitor, place } of placesOf({ dataset, until }, core, recall)) {
    folded.set(place, placed.length * core.dimensions)
    placed.push(visitor)
  }
  const cohort = new Int32Array(dataset.visitors.length).fill(-1)
  if (placed.length < 2 * config.minCohort) return { centroids: new Float32Array(0), cohort, cohortSizes: [] }
  const flat = folded.subarray(0, placed.length * core.dimensions)
  const wanted = Math.min(config.maxCohorts, Math.max(2, Math.round(placed.length / 100)))
  const clusters = await sphericalKMeans(flat, core.dimensions, wanted, config.minCohort, config.seed)
  const cohortSizes = new Array<number>(clusters.count).fill(0)
  placed.forEach((visitor, row) => {
    cohort[visitor] = clusters.assignment[row]
    cohortSizes[clusters.assignment[row]]++
  })
  return { centroids: Float32Array.from(clusters.centroids), cohort, cohortSizes }
}

/** Where a visitor was last seen before `until`; '' where nobody said. */
function homeCountries({ deeds, visitors, countries }: Dataset, until: number): string[] {
  const home = new Array<string>(visitors.length).fill('')
  for (let k = 0; k < deeds.count; k++) {
    if (deeds.at[k] < until && countries[deeds.country[k]] !== '') home[deeds.visitor[k]] = countries[deeds.country[k]]
  }
  return home
}

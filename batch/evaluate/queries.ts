import { REMEMBERED_ITEMS } from '../../shared/memory.ts'
import type { Deed, HistoryItem } from '../../shared/ranking/release-view.ts'
import type { Dataset, Deeds } from '../dataset.ts'
import { contextAt } from '../learn/contexts.ts'
import { endBefore, historyOf, visitorStarts } from '../learn/histories.ts'
import type { Query } from './trial.ts'

export const NOTHING: ReadonlySet<number> = new Set()

/** Where the items of one catalogue stand in another; -1 for those it does not have. */
export function mapItems(from: Dataset, to: Dataset): Int32Array {
  const index = new Map(to.items.map(({ id }, item) => [id, item]))
  return Int32Array.from(from.items, ({ id }) => index.get(id) ?? -1)
}

/** A history told by item ids, oldest first, all of it just now, as the edge would remember it. */
export function historyOfItems(items: readonly number[], deed: Deed, most = REMEMBERED_ITEMS): HistoryItem[] {
  const distinct = [...new Set(items.filter((item) => item >= 0).toReversed())]
  return distinct.slice(0, most).map((item) => ({ item, deed, age: 0 }))
}

/** What was taken, in the items of training; an item it does not know becomes a negative number of its own. */
export const answers = (items: Iterable<number>, place: Int32Array): Set<number> =>
  new Set(Array.from(items, (item) => (place[item] >= 0 ? place[item] : -1 - item)))

/**
 * One query a visitor at `split` (Unix seconds): what do they take from then on? `all` holds both sides of the split;
 * histories and answers are told in the items of `train`.
 * @param split 'last' = before each visitor's last deed @param most how many deeds after the split count
 */
export function periodQueries(all: Dataset, train: Dataset, split: number | 'last', most = Number.POSITIVE_INFINITY): PeriodQuery[] {
  const place = mapItems(all, train)
  const starts = visitorStarts(all)
  const queries: PeriodQuery[] = []
  for (let visitor = 0; visitor < all.visitors.length; visitor++) {
    const from = starts[visitor]
    const to = starts[visitor + 1]
    const end = split === 'last' ? Math.max(from + 1, to - 1) : endBefore(all.deeds, from, to, split)
    if (end === to) continue
    const history = placed(historyOf(all.deeds, from, end, REMEMBERED_ITEMS, split === 'last' ? all.deeds.at[end] : split), place)
    const owned = new Set(Array.from(all.deeds.item.subarray(from, end), (item) => place[item]))
    queries.push({
      history,
      inSession: 0,
      country: countryAt(all, end > from ? end - 1 : from),
      context: contextAt(all, end),
      relevant: answers(all.deeds.item.subarray(end, Math.min(to, end + most)), place),
      masked: NOTHING,
      cluster: visitor,
      owned,
    })
  }
  return queries
}

/** `owned`: everything the visitor took before, remembered or not. */
export type PeriodQuery = Query & { owned: ReadonlySet<number> }

/** The same visitors, of whom only what they never took before counts, and is answered. */
export const newItemQueries = (queries: readonly PeriodQuery[]): Query[] =>
  queries.flatMap((query) => {
    const relevant = new Set([...query.relevant].filter((item) => !query.owned.has(item)))
    return relevant.size > 0 ? [{ ...query, relevant, masked: query.owned }] : []
  })

/** The same visitors as if nothing were known of them but where they are, and how they come. */
export const withoutHistory = (queries: readonly Query[]): Query[] => queries.map((query) => ({ ...query, history: [] }))

/** What is remembered at `now` of the deeds from `from` (inclusive) to `to` (exclusive) of one visitor. */
export type Remembering = (deeds: Deeds, from: number, to: number, now: number) => HistoryItem[]

const remembering: Remembering = (deeds, from, to, now) => historyOf(deeds, from, to, REMEMBERED_ITEMS, now)

/** A deed that follows another of its session: what is it, asked right after the one before? */
export type Step = { visitor: number; from: number; opening: number; step: number }

/** Every step of the sessions that begin at `split` or later, visitor by visitor. */
export function stepsOf(all: Dataset, split: number): Step[] {
  const { deeds } = all
  const starts = visitorStarts(all)
  const steps: Step[] = []
  for (let visitor = 0; visitor < all.visitors.length; visitor++) {
    let opening = starts[visitor]
    for (let step = starts[visitor] + 1; step < starts[visitor + 1]; step++) {
      if (deeds.session[step] !== deeds.session[step - 1]) opening = step
      else if (deeds.at[opening] >= split) steps.push({ visitor, from: starts[visitor], opening, step })
    }
  }
  return steps
}

/**
 * Sessions that begin at `split` or later, replayed deed by deed: what comes next, from what came before in the session
 * and, newest first, in the visitor's earlier ones? Repeated items count. Ages are as of the deed before, since that is
 * when a page asks; the time of the next one nobody knows yet.
 */
export function nextQueries(all: Dataset, train: Dataset, split: number, remember = remembering): Query[] {
  const place = mapItems(all, train)
  const { deeds } = all
  return stepsOf(all, split).map(({ visitor, from, opening, step }) => {
    const history = placed(remember(deeds, from, step, deeds.at[step - 1]), place)
    const session = new Set(Array.from(deeds.item.subarray(opening, step), (item) => place[item]))
    return {
      history,
      inSession: history.filter(({ item }) => session.has(item)).length,
      country: countryAt(all, step - 1),
      context: contextAt(all, step - 1),
      relevant: answers([deeds.item[step]], place),
      masked: NOTHING,
      cluster: visitor,
    }
  })
}

function placed(history: readonly HistoryItem[], place: Int32Array): HistoryItem[] {
  return history.flatMap(({ item, deed, age }) => (place[item] >= 0 ? [{ item: place[item], deed, age }] : []))
}

/** The last country the visitor was seen in up to deed `k`. */
function countryAt({ deeds, countries }: Dataset, k: number): string {
  for (let j = k; j >= 0 && deeds.visitor[j] === deeds.visitor[k]; j--) {
    if (countries[deeds.country[j]] !== '') return countries[deeds.country[j]]
  }
  return ''
}

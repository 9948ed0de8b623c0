import { UNKNOWN_CONTEXT } from '../../../shared/ranking/visit-context.ts'
import { itemHash } from '../../../shared/release/hash.ts'
import { type Dataset, noImpressions } from '../../dataset.ts'
import { historyOf, visitorStarts } from '../../learn/histories.ts'
import type { Query } from '../trial.ts'

/** The same catalogue and visitors, with only the deeds that `keep` lets through. What it no longer knows keeps its place. */
export function deedsWhere(dataset: Dataset, keep: (deed: number) => boolean): Dataset {
  const { deeds } = dataset
  const kept = Uint32Array.from(Array.from({ length: deeds.count }, (_, k) => k).filter(keep))
  const take = <T extends Uint32Array | Uint8Array>(column: T, as: { from(list: Uint32Array, value: (k: number) => number): T }): T =>
    as.from(kept, (k) => column[k])
  const at = take(deeds.at, Uint32Array)
  return {
    ...dataset,
    // What is cut away must not be told by what was clicked.
    impressions: noImpressions(),
    deeds: {
      count: kept.length,
      visitor: take(deeds.visitor, Uint32Array),
      item: take(deeds.item, Uint32Array),
      at,
      deed: take(deeds.deed, Uint8Array),
      session: take(deeds.session, Uint32Array),
      weight: take(deeds.weight, Uint8Array),
      country: take(deeds.country, Uint8Array),
      device: take(deeds.device, Uint8Array),
      referrer: take(deeds.referrer, Uint8Array),
    },
    from: at.reduce((first, time) => Math.min(first, time), Number.POSITIVE_INFINITY),
    to: at.reduce((last, time) => Math.max(last, time), 0),
  }
}

/** What happened before `until` (Unix seconds). */
export const before = (dataset: Dataset, until: number): Dataset => deedsWhere(dataset, (k) => dataset.deeds.at[k] < until)

/** Everything but every visitor's last deed; of those with one deed, that one stays. */
export function withoutLast(dataset: Dataset): Dataset {
  const starts = visitorStarts(dataset)
  const { visitor } = dataset.deeds
  return deedsWhere(dataset, (k) => k !== starts[visitor[k] + 1] - 1 || k === starts[visitor[k]])
}

/** Where deeds have no time: a fifth of every visitor's items, drawn by hash, is asked for from the rest. */
export function heldOut(dataset: Dataset): { train: Dataset; queries: Query[] } {
  const { deeds, items, visitors } = dataset
  const held = Uint8Array.from({ length: deeds.count }, (_, k) =>
    itemHash(`${visitors[deeds.visitor[k]]} ${items[deeds.item[k]].id}`, 0) % 5 === 0 ? 1 : 0,
  )
  const train = deedsWhere(dataset, (k) => held[k] === 0)
  const starts = visitorStarts(dataset)
  const keptStarts = visitorStarts(train)
  const queries: Query[] = []
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    const relevant = new Set<number>()
    for (let k = starts[visitor]; k < starts[visitor + 1]; k++) if (held[k] === 1) relevant.add(deeds.item[k])
    const history = historyOf(train.deeds, keptStarts[visitor], keptStarts[visitor + 1], Number.POSITIVE_INFINITY, train.to)
    if (relevant.size === 0 || history.length === 0) continue
    const masked = new Set(history.map(({ item }) => item))
    queries.push({ history, inSession: 0, country: '', context: UNKNOWN_CONTEXT, relevant, masked, cluster: visitor })
  }
  return { train, queries }
}

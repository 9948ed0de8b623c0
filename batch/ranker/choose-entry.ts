import { ndcgAt, recallAt } from '../../shared/metrics.ts'
import { nearestList } from '../../shared/ranking/candidates.ts'
import { entryList } from '../../shared/ranking/entry-cohort.ts'
import { regionPath } from '../../shared/ranking/regions.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { VisitContext } from '../../shared/ranking/visit-context.ts'
import type { EntryTables } from '../../shared/release/manifest.ts'
import type { Dataset } from '../dataset.ts'
import { contextAt } from '../learn/contexts.ts'
import { visitorStarts } from '../learn/histories.ts'
import { continentOf } from '../learn/lists.ts'
import { type Quality, qualityOf, regionsOf } from './choose.ts'

/** Somebody comes whom nobody knows: what do they take in the end? */
export type Newcomer = { country: string; context: VisitContext; next: Set<number> }

/** Fewer tell nothing, and of more a part tells as much. */
const LEAST_NEWCOMERS = 50
const MOST_NEWCOMERS = 20_000
const SLATE = 20

/**
 * The first visits that begin at `from` (Unix seconds) or later, at most 20,000 of them, evenly spread. Nothing is fitted to what follows the parting time but the
 * ranker, which has no part in this: all of them choose, for a fifth would be too few to tell the two apart.
 */
export function newcomersSince(dataset: Dataset, from: number): Newcomer[] {
  const { deeds, countries } = dataset
  const starts = visitorStarts(dataset)
  const came: number[] = []
  for (let visitor = 0; visitor < dataset.visitors.length; visitor++) {
    const first = starts[visitor]
    if (first < starts[visitor + 1] && deeds.at[first] >= from) came.push(visitor)
  }
  const asked = Math.min(came.length, MOST_NEWCOMERS)
  return Array.from({ length: asked }, (_, i) => {
    const visitor = came[Math.floor((i * came.length) / asked)]
    const first = starts[visitor]
    const country = countries[deeds.country[first]]
    return { country, context: contextAt(dataset, first), next: new Set(deeds.item.subarray(first, starts[visitor + 1])) }
  })
}

export type EntryChoice = {
  use: boolean
  newcomers: number
  /** What the region's list is worth to them, and what the entry list; absent where nothing was compared. */
  compared?: { region: Quality; entry: Quality }
}

/**
 * Whether visitors without clicks are served better by their context than by the region's list alone: Recall@20 + NDCG@20
 * must rise by more than its standard error.
 */
export function chooseEntry(view: ReleaseView, entry: EntryTables | undefined, newcomers: readonly Newcomer[]): EntryChoice {
  if (entry === undefined || newcomers.length < LEAST_NEWCOMERS) return { use: false, newcomers: newcomers.length }
  const known = regionsOf(view)
  const withEntry = { ...view, manifest: { ...view.manifest, entry } }
  const slates = newcomers.map(({ country, context }) => {
    const regions = regionPath(known, country, continentOf(country))
    return {
      region: Array.from(nearestList(view, regions, -1)?.list.items ?? []).slice(0, SLATE),
      entry: (entryList(withEntry, regions, context)?.items ?? []).slice(0, SLATE).map(({ item }) => item),
    }
  })
  const worth = (slate: readonly number[], { next }: Newcomer): number => recallAt(slate, next, SLATE) + ndcgAt(slate, next, SLATE)
  const gains = newcomers.map((newcomer, i) => worth(slates[i].entry, newcomer) - worth(slates[i].region, newcomer))
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length
  const variance = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0) / (gains.length - 1)
  const { items } = view.core
  return {
    use: mean > Math.sqrt(variance / gains.length),
    newcomers: newcomers.length,
    compared: {
      region: qualityOf(
        items,
        newcomers,
        slates.map(({ region }) => region),
      ),
      entry: qualityOf(
        items,
        newcomers,
        slates.map((slate) => slate.entry),
      ),
    },
  }
}

import type { Overlay } from '../../shared/overlay.ts'
import { roundProbability } from '../../shared/ranking/calibration.ts'
import { type LiveItem, nearestList } from '../../shared/ranking/candidates.ts'
import { roundScore } from '../../shared/ranking/reference-scorer.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { indexOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import type { Shelf, Shown } from './shown.ts'

/** The region's list, in its own order; where the region has none, that of the next wider one. */
export function regionSlate(release: LoadedRelease, regions: readonly string[], allow: (item: number) => boolean): Shelf {
  const nearest = nearestList(release, regions, -1)
  if (nearest === undefined) return { shown: [], rung: 'global-list' }
  const { region, list } = nearest
  const reasons = popularIn(region)
  const shown = Array.from(list.items, (item, i) => popularItem(item, roundScore(list.scores[i] / 255), reasons)).filter(({ item }) =>
    allow(item),
  )
  return { shown, rung: region === EVERYWHERE ? 'global-list' : 'region-list' }
}

/**
 * Goes on where a shelf is shorter than `length`: with the lists from the region outwards, then with the catalogue by
 * popularity, so that a narrow filter does not leave an empty shelf. What is there already stays as it is.
 */
export function filledUp(
  release: LoadedRelease,
  regions: readonly string[],
  allow: (item: number) => boolean,
  { shown, rung }: Shelf,
  length: number,
): Shelf {
  if (shown.length >= length) return { shown, rung }
  const filled = [...shown]
  const seen = new Set(shown.map(({ item }) => item))
  for (const { region, items, shares } of fillers(release, regions)) {
    if (filled.length >= length) break
    const last = filled.at(-1)?.score ?? 1
    const reasons = popularIn(region)
    items.forEach((item, i) => {
      if (seen.has(item) || !allow(item)) return
      seen.add(item)
      filled.push(popularItem(item, roundProbability(below(last, shares[i])), reasons))
    })
  }
  return { shown: filled, rung }
}

function* fillers(release: LoadedRelease, regions: readonly string[]): Generator<{ region: string; items: number[]; shares: number[] }> {
  for (const region of regions) {
    const list = release.list(region, -1)
    if (list !== undefined) yield { region, items: Array.from(list.items), shares: Array.from(list.scores, (score) => score / 255) }
  }
  const items = release.byPopularity()
  yield { region: EVERYWHERE, items: [...items], shares: items.map((item) => release.core.popularity[item] / 255) }
}

/** Scores from different lists do not compare: those that follow only have to go on downwards. */
const below = (last: number, share: number): number => (last >= 0 ? last * share : last - 1 + share)

const popularItem = (item: number, score: number, reasons: Shown['reasons']): Shown => ({ item, score, source: 'region-list', reasons })

/** Shared by all that a list brings. */
const popularIn = (region: string): Shown['reasons'] => [{ code: 'popular-in', region }]

/** What visitors of the region take now; filled up with what was rising on the region's list when the night came. */
export function trendingSlate(
  release: LoadedRelease,
  overlay: Overlay,
  regions: readonly string[],
  allow: (item: number) => boolean,
): Shelf {
  const { region, items } = trendingItems(release, overlay, regions)
  const live: Shown[] = items
    .filter(({ item }) => allow(item))
    .map(({ item, score }) => ({
      item,
      score: roundScore(1 + score),
      source: 'trending',
      reasons: [{ code: 'trending-in', region }],
    }))
  const shown = new Set(live.map(({ item }) => item))
  const { shown: popular, rung } = regionSlate(release, regions, (item) => !shown.has(item) && allow(item))
  const rising = popular
    // `trend` is log2 of the recent over the long-run share, 32 steps a doubling around 128: at most 16-fold.
    .map((entry) => ({ ...entry, score: roundScore((entry.score * 2 ** ((release.core.trend[entry.item] - 128) / 32)) / 16) }))
    .sort((a, b) => b.score - a.score || a.item - b.item)
  return { shown: [...live, ...rising], rung }
}

/** The overlay's trending items of the narrowest region that has any, as item indices of this release. */
export function trendingItems(release: LoadedRelease, overlay: Overlay, regions: readonly string[]): { region: string; items: LiveItem[] } {
  const region = regions.find((name) => (overlay.trending[name]?.length ?? 0) > 0)
  const items = (region === undefined ? [] : overlay.trending[region])
    .map(({ item, score }) => ({ item: indexOf(release, item), score }))
    .filter(({ item }) => item >= 0)
  return { region: region ?? EVERYWHERE, items }
}

/** What the visitor looked at, newest first. */
export function recentSlate(history: readonly HistoryItem[], allow: (item: number) => boolean): Shelf {
  const shown = history
    .filter(({ item }) => allow(item))
    .map(
      ({ item, deed }, i): Shown => ({
        item,
        score: roundScore(1 / (i + 1)),
        source: 'history',
        reasons: [{ code: deed === 2 ? 'again' : 'viewed' }],
      }),
    )
  return { shown, rung: 'list-order' }
}

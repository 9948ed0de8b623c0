import type { Overlay } from '../../shared/overlay.ts'
import { type LiveItem, nearestList } from '../../shared/ranking/candidates.ts'
import { roundScore } from '../../shared/ranking/reference-scorer.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import type { Rung } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { indexOf } from './policy.ts'
import type { Shown } from './shown.ts'

/** The region's list, in its own order. */
export function popularSlate(
  release: LoadedRelease,
  regions: readonly string[],
  allow: (item: number) => boolean,
): { shown: Shown[]; rung: Rung } {
  const nearest = nearestList(release, regions, -1)
  if (nearest === undefined) return { shown: [], rung: 'global-list' }
  const { region, list } = nearest
  const shown: Shown[] = []
  list.items.forEach((item, i) => {
    if (allow(item))
      shown.push({ item, score: roundScore(list.scores[i] / 255), source: 'region-list', reasons: [{ code: 'popular-in', region }] })
  })
  return { shown, rung: rungOf(region) }
}

/** What visitors of the region take now; filled up with what was rising on the region's list when the night came. */
export function trendingSlate(
  release: LoadedRelease,
  overlay: Overlay,
  regions: readonly string[],
  allow: (item: number) => boolean,
): { shown: Shown[]; rung: Rung } {
  const region = regions.find((name) => (overlay.trending[name]?.length ?? 0) > 0)
  const live: Shown[] = trendingItems(release, overlay, regions)
    .filter(({ item }) => allow(item))
    .map(({ item, score }) => ({
      item,
      score: roundScore(1 + score),
      source: 'trending',
      reasons: [{ code: 'trending-in', region: region ?? EVERYWHERE }],
    }))
  const shown = new Set(live.map(({ item }) => item))
  const { shown: popular, rung } = popularSlate(release, regions, allow)
  const rising = popular
    .filter(({ item }) => !shown.has(item))
    // `trend` is log2 of the recent over the long-run share, 32 steps a doubling around 128.
    .map((entry) => ({ ...entry, score: roundScore(entry.score * 2 ** ((release.core.trend[entry.item] - 128) / 32) * 0.1) }))
    .sort((a, b) => b.score - a.score || a.item - b.item)
  return { shown: [...live, ...rising], rung }
}

/** The overlay's trending items of the narrowest region that has any, as item indices of this release. */
export function trendingItems(release: LoadedRelease, overlay: Overlay, regions: readonly string[]): LiveItem[] {
  const region = regions.find((name) => (overlay.trending[name]?.length ?? 0) > 0)
  return (region === undefined ? [] : overlay.trending[region])
    .map(({ item, score }) => ({ item: indexOf(release, item), score }))
    .filter(({ item }) => item >= 0)
}

/** What the visitor looked at, newest first. */
export function recentSlate(history: readonly HistoryItem[], allow: (item: number) => boolean): { shown: Shown[]; rung: Rung } {
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

const rungOf = (region: string): Rung => (region === EVERYWHERE ? 'global-list' : 'region-list')

import { nearestList } from '../../shared/ranking/candidates.ts'
import { entryList } from '../../shared/ranking/entry-cohort.ts'
import { roundScore } from '../../shared/ranking/reference-scorer.ts'
import type { VisitContext } from '../../shared/ranking/visit-context.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import type { Shelf, Shown, ShownReason } from './shown.ts'

/** For a visitor without clicks: what visitors take who come as they do. Null where the release has found that to be of no use. */
export function entrySlate(
  release: LoadedRelease,
  regions: readonly string[],
  context: VisitContext,
  allow: (item: number) => boolean,
): (Shelf & { cohort: number }) | null {
  const entered = entryList(release, regions, context)
  const listRegion = nearestList(release, regions, -1)?.region
  if (entered === undefined || listRegion === undefined) return null
  const shown = entered.items
    .filter(({ item }) => allow(item))
    .map(({ item, score, region, context, cohort }): Shown => {
      const reasons: ShownReason[] = []
      if (region > 0) reasons.push({ code: 'popular-in', region: listRegion })
      if (cohort >= 0 && context > 0) reasons.push({ code: 'popular-with-cohort', cohort })
      const telling = context > region
      return {
        item,
        score: roundScore(score),
        source: telling ? 'cohort-list' : 'region-list',
        reasons: telling ? reasons.reverse() : reasons,
      }
    })
  return { shown, rung: 'list-order', cohort: entered.cohort }
}

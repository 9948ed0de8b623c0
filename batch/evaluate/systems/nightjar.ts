import { nearestList, recall as recallFor } from '../../../shared/ranking/candidates.ts'
import { foldIn, nearestCohort } from '../../../shared/ranking/cohort.ts'
import { entryList } from '../../../shared/ranking/entry-cohort.ts'
import { candidateFeatures, ordered } from '../../../shared/ranking/rank.ts'
import { RecallSpace } from '../../../shared/ranking/recall-space.ts'
import { regionPath } from '../../../shared/ranking/regions.ts'
import type { ReleaseView } from '../../../shared/ranking/release-view.ts'
import type { RecallParameters } from '../../../shared/release/manifest.ts'
import { continentOf } from '../../learn/lists.ts'
import { regionsOf } from '../../ranker/choose.ts'
import type { AsyncScorer } from '../../ranker/onnx-scorer.ts'
import type { Query, System } from '../trial.ts'

/**
 * Our own: a release as the edge reads it, by stages. `cohort-region` is the stored lists alone, `neighbours` those of the
 * history's items, `merged` both, `nightjar` both under the ranker, where validation chose one. A visitor without a
 * history gets the entry list from all of them, or the region's, as at the edge.
 * @param scorer null where the release carries no ranker @param bytesPerItem of the whole release
 */
export function nightjarSystems(view: ReleaseView, scorer: AsyncScorer | null, bytesPerItem: number): System[] {
  const space = new RecallSpace(view.core.items)
  const known = regionsOf(view)
  const regionsFor = ({ country }: Query): string[] => regionPath(known, country, continentOf(country))
  const cohortFor = ({ history }: Query): number => {
    const place = foldIn(view.core, history, view.manifest.recall)
    return place === undefined ? -1 : nearestCohort(view.core, place)
  }
  const listed = (query: Query): number[] => {
    const regions = regionsFor(query)
    const cohort = cohortFor(query)
    const entry = query.history.length === 0 ? entryList(view, regions, query.context) : undefined
    if (entry !== undefined) return entry.items.map(({ item }) => item)
    const lists = [cohort >= 0 ? nearestList(view, regions, cohort)?.list : undefined, nearestList(view, regions, -1)?.list]
    return [...new Set(lists.flatMap((list) => Array.from(list?.items ?? [])))]
  }
  const ranked = (name: string, recall: RecallParameters, by: AsyncScorer | null): System => ({
    name,
    bytesPerItem,
    async rank(query, k) {
      if (query.history.length === 0) return listed(query)
      const own = { ...view, manifest: { ...view.manifest, recall } }
      const request = { history: query.history, regions: regionsFor(query), cohort: cohortFor(query), trending: [], fresh: [] }
      const candidates = recallFor(own, space, request, (item) => !query.masked.has(item))
      const scores = by === null ? candidates.merged : await by(candidateFeatures(own, candidates, request), candidates.count)
      const { order } = ordered(candidates, scores)
      return Array.from(order.subarray(0, k), (position) => candidates.item[position])
    },
  })
  const { recall } = view.manifest
  return [
    { name: 'cohort-region', bytesPerItem, rank: listed },
    ranked('neighbours', { ...recall, listWeight: 0 }, null),
    ranked('merged', recall, null),
    ranked('nightjar', recall, scorer),
  ]
}

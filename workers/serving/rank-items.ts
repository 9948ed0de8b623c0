import { probabilities } from '../../shared/ranking/calibration.ts'
import { nearestList, type RecallRequest, recallOf } from '../../shared/ranking/candidates.ts'
import { rankingOf } from '../../shared/ranking/rank.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import type { RankAnswer, RankRequest, Rung } from '../../shared/schemas/recommendations.ts'
import { type Background, dueSoon } from '../background.ts'
import type { Current } from '../releases/current.ts'
import { indexOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { withOverlay } from '../releases/with-overlay.ts'
import { newRecommId } from './answer.ts'
import { fromReleases } from './from-releases.ts'
import { trendingItems } from './list-slate.ts'
import { rankerOf } from './personal-slate.ts'
import { placeOf, regionsOf } from './place.ts'
import { startRanker } from './start-ranker.ts'
import { historyOf, pastOf, placeOfHistory } from './visit.ts'

/**
 * The items that the caller sent, each once, in the visitor's order; where there is no history in the region's. No rule leaves
 * one out. Those that the release does not know stand at the end as they came; without any release all of them do.
 */
export async function rankItems(env: Env, execution: Background, raw: Request, asked: RankRequest): Promise<RankAnswer> {
  const ctx = dueSoon(env, execution)
  const ids = [...new Set(asked.items)]
  const past = pastOf(env, raw, asked)
  const overlay = readOverlay(env, ctx)
  const wanted = (known: ReadonlySet<string>): string[] => regionsOf(env, raw, asked.region, known)
  const answer = async (current: Current): Promise<RankAnswer> => {
    const live = await overlay
    const loaded = withOverlay(current.loaded, live)
    const regions = wanted(loaded.regions)
    const listsRead = await loaded.loadLists(ctx, regions)
    const history = await historyOf(env, ctx, await past, loaded)
    const trending = trendingItems(loaded, live, regions).items
    const indices = ids.map((id) => indexOf(loaded, id))
    const known = indices.filter((item) => item >= 0)
    const { place, cohort } = placeOfHistory(loaded, history)
    const neighboursRead = await loaded.loadNeighbours(
      ctx,
      history.slice(0, loaded.manifest.recall.historyItems).map(({ item }) => item),
    )
    const request = { history, regions, cohort, trending, fresh: [], place }
    const { rung, scored } = scoredItems(loaded, request, known, listsRead && neighboursRead)
    const idOf = new Map(indices.map((item, i) => [item, ids[i]]))
    const ranked = scored.map(({ item, score }) => ({ id: idOf.get(item) ?? '', score }))
    const unknown = ids.filter((_, i) => indices[i] < 0).map((id) => ({ id, score: null }))
    return {
      recommId: newRecommId(),
      release: loaded.release,
      rung: current.previous ? 'previous-release' : rung,
      cohort: cohort >= 0 ? cohort : null,
      region: regions[0],
      items: [...ranked, ...unknown].map((item, i) => ({ ...item, position: i + 1 })),
    }
  }
  const answering = fromReleases(env, ctx, wanted, answer, past)
  startRanker(env, ctx, answering)
  return (await answering) ?? unranked(ids, asked.region ?? placeOf(env, raw).country)
}

type Scored = { rung: Rung; scored: { item: number; score: number }[] }

function scoredItems(release: LoadedRelease, request: RecallRequest, items: readonly number[], complete: boolean): Scored {
  const candidates = recallOf(release, release.space, request, items)
  const ranker = request.history.length === 0 ? null : rankerOf(release, complete)
  const { order, scores } = rankingOf(release, release.space, candidates, request, ranker?.scorer ?? null)
  const { calibration } = release.manifest
  const by = ranker?.by() ?? 'list-order'
  const told = calibration === undefined || by === 'list-order' ? null : probabilities(calibration, scores)
  const scored = Array.from(order, (position) => ({ item: candidates.item[position], score: told?.(position) ?? scores[position] }))
  if (request.history.length > 0) return { rung: by, scored }
  // What no list names is told apart by how popular it is.
  const { popularity } = release.core
  scored.sort((a, b) => b.score - a.score || popularity[b.item] - popularity[a.item] || a.item - b.item)
  const region = nearestList(release, request.regions, -1)?.region ?? EVERYWHERE
  return { rung: region === EVERYWHERE ? 'global-list' : 'region-list', scored }
}

const unranked = (ids: readonly string[], region: string): RankAnswer => ({
  recommId: newRecommId(),
  release: null,
  rung: 'bundled',
  cohort: null,
  region,
  items: ids.map((id, i) => ({ id, score: null, position: i + 1 })),
})

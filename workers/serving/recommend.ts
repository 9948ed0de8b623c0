import type { Overlay } from '../../shared/overlay.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import type { RecommendationRequest, Rung } from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { type Current, currentRelease, previousRelease } from '../releases/current.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { warmUp } from '../scoring/scorer.ts'
import { bundledAnswer, type Slate, slateJson } from './answer.ts'
import { popularSlate, recentSlate, trendingItems, trendingSlate } from './list-slate.ts'
import { personalSlate } from './personal-slate.ts'
import { allowedItems, indicesOf } from './policy.ts'
import type { Shown } from './shown.ts'
import { cohortOf, distinct, type Visit, visitOf } from './visit.ts'

/** The answer's JSON text. Whatever fails on the way, the next rung answers. */
export async function recommend(env: Env, ctx: Background, raw: Request, asked: RecommendationRequest): Promise<string> {
  const current = await currentRelease(env, ctx)
  for (const attempt of [current, current?.previous ? null : 'previous'] as const) {
    const release: Current | null = attempt === 'previous' ? await previousRelease(env, ctx) : attempt
    if (release === null) continue
    try {
      return await fromRelease(env, ctx, raw, asked, release)
    } catch (error) {
      console.warn(
        JSON.stringify({
          event: 'rung-failed',
          release: release.loaded.release,
          error: error instanceof Error ? error.message : String(error),
        }),
      )
    }
  }
  return bundledAnswer(env, raw, asked)
}

async function fromRelease(
  env: Env,
  ctx: Background,
  raw: Request,
  asked: RecommendationRequest,
  { loaded, previous }: Current,
): Promise<string> {
  const [visit, overlay] = await Promise.all([visitOf(env, ctx, raw, asked, loaded), readOverlay(env, ctx)])
  await loaded.loadLists(visit.regions)
  const slate = await slateOf(loaded, overlay, visit, asked)
  const page = slate.shown.slice(asked.offset, asked.offset + asked.limit)
  const text = await slateJson(loaded, { ...slate, shown: page, rung: previous ? 'previous-release' : slate.rung }, asked.offset)
  if (loaded.manifest.ranker === 'mlp') warmUp(env, ctx, loaded.weights)
  return text
}

async function slateOf(release: LoadedRelease, overlay: Overlay, visit: Visit, asked: RecommendationRequest): Promise<Slate> {
  const excluded = indicesOf(release, asked.exclude)
  const purchased = asked.excludePurchased ? visit.history.filter(({ deed }) => deed === 2).map(({ item }) => item) : []
  const allow = allowedItems(release, overlay, [...excluded, ...purchased], asked.filter)
  const [region] = visit.regions
  const plain = (list: { shown: Shown[]; rung: Rung }): Slate => ({ ...list, cohort: null, region })
  if (asked.scenario === 'popular') return plain(popularSlate(release, visit.regions, allow))
  if (asked.scenario === 'trending') return plain(trendingSlate(release, overlay, visit.regions, allow))
  if (asked.scenario === 'recently-viewed') return plain(recentSlate(visit.history, allow))

  const anchors = anchorsOf(release, visit, asked)
  const home = asked.scenario === 'home'
  // Without anything to go by, the region's list is the answer.
  if (home ? visit.history.length === 0 : anchors.length === 0) return plain(popularSlate(release, visit.regions, allow))
  const history = distinct([...anchors, ...visit.history])
  const complete = await release.loadNeighbours(history.slice(0, release.manifest.recall.historyItems).map(({ item }) => item))
  const ownCohort = visit.history.length > 0 ? cohortOf(release, visit.history) : -1
  const ranked = await personalSlate(
    release,
    {
      history,
      anchors: anchors.length,
      relation: home ? null : asked.scenario === 'similar' ? 'similar' : 'together',
      regions: visit.regions,
      cohort: ownCohort,
      trending: home ? trendingItems(release, overlay, visit.regions) : [],
      allow,
      length: asked.offset + asked.limit,
      explain: asked.explain,
    },
    complete,
  )
  if (ranked.shown.length === 0)
    return plain(popularSlate(release, visit.regions, (item) => allow(item) && !anchors.some((anchor) => anchor.item === item)))
  return { ...ranked, cohort: ownCohort >= 0 ? ownCohort : null, region }
}

/** The items an item page or a cart is about; a cart that is not sent is the one the visitor's events have filled. */
function anchorsOf(release: LoadedRelease, visit: Visit, asked: RecommendationRequest): HistoryItem[] {
  if (asked.scenario === 'home') return []
  const named = indicesOf(release, [...(asked.item === undefined ? [] : [asked.item]), ...(asked.items ?? [])])
  if (named.length > 0) return distinct(named.map((item) => ({ item, deed: asked.scenario === 'cart' ? 1 : 0 })))
  return asked.scenario === 'cart' ? visit.history.filter(({ deed }) => deed === 1) : []
}

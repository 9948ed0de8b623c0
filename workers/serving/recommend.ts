import type { Overlay } from '../../shared/overlay.ts'
import { type HistoryItem, IN_CART, VIEWED } from '../../shared/ranking/release-view.ts'
import type { RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import { type Background, dueSoon } from '../background.ts'
import { nowOf } from '../bench.ts'
import { visitContext } from '../http/visit-context.ts'
import type { Reading } from '../reading.ts'
import type { Current, WantedRegions } from '../releases/current.ts'
import { indicesOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { type LiveRelease, withOverlay } from '../releases/with-overlay.ts'
import { type Slate, slateJson } from './answer.ts'
import { entrySlate } from './entry-slate.ts'
import { fromReleases } from './from-releases.ts'
import { likedItems } from './liked-items.ts'
import { filledUp, recentSlate, regionSlate, trendingItems, trendingSlate } from './list-slate.ts'
import { personalSlate } from './personal-slate.ts'
import { placeOf, regionsOf } from './place.ts'
import { allowedItems } from './policy.ts'
import type { Shelf } from './shown.ts'
import { startRanker } from './start-ranker.ts'
import { consents, distinct, historyOf, type Past, pastOf, placeOfHistory, purchasedOf } from './visit.ts'
import { withoutRelease } from './without-release.ts'

/** One request on its way to an answer: what does not depend on the release. */
type Visit = { raw: Request; asked: RecommendationRequest; past: Promise<Past>; overlay: Reading<Overlay>; wanted: WantedRegions }

/** The answer's JSON text. Whatever fails on the way, the next rung answers. */
export async function recommend(env: Env, execution: Background, raw: Request, asked: RecommendationRequest): Promise<string> {
  const ctx = dueSoon(env, execution)
  // All of this is read at once: a cold isolate then ranks after two rounds of reads, the channel and what it names.
  const visit: Visit = {
    raw,
    asked,
    past: pastOf(env, raw, asked),
    overlay: readOverlay(env, ctx),
    wanted: (known) => regionsOf(env, raw, asked.region, known),
  }
  const answer = async (current: Current): Promise<string> => {
    const loaded = withOverlay(current.loaded, await visit.overlay)
    const slate = await slateOf(env, ctx, visit, loaded)
    const shown = slate.shown.slice(asked.offset, asked.offset + asked.limit)
    const rung = current.previous ? 'previous-release' : slate.rung
    return slateJson(ctx, loaded, { ...slate, shown, rung }, asked.offset)
  }
  const answering = fromReleases(env, ctx, visit.wanted, answer, visit.past)
  startRanker(env, ctx, answering)
  return (await answering) ?? withoutRelease(env, asked.region ?? placeOf(env, raw).country, asked, nowOf(env, raw))
}

async function slateOf(env: Env, ctx: Background, visit: Visit, release: LiveRelease): Promise<Slate> {
  const { asked } = visit
  const bare = asked.scenario === 'bench'
  const regions = [...visit.wanted(release.regions)]
  const lists = release.loadLists(ctx, regions)
  // One after the other, though all are under way: none of them rejects, and warm ones are there.
  const past = await visit.past
  const overlay = await visit.overlay
  const listsRead = await lists
  const deeds = await historyOf(env, ctx, past, release)
  const purchased = asked.excludePurchased ? purchasedOf(past, deeds, release) : []
  const allow = bare
    ? allButCurrent(release, deeds, asked)
    : allowedItems(release, [...indicesOf(release, asked.exclude), ...purchased], asked.filter, nowOf(env, visit.raw))
  const liked = deeds.length === 0 && asked.scenario === 'home' ? past?.state?.preferences : undefined
  const history = liked === undefined ? deeds : likedItems(release, regions, liked, allow)
  const length = asked.offset + asked.limit
  const plain = ({ shown, rung }: Shelf): Slate => ({
    shown: asked.explain ? shown.map((item) => ({ explain: { features: {}, sources: { [item.source]: item.score } }, ...item })) : shown,
    rung,
    cohort: null,
    region: regions[0],
  })
  const fromRegion = (barred: readonly HistoryItem[] = []): Slate => {
    const others = (item: number): boolean => allow(item) && !barred.some((anchor) => anchor.item === item)
    const listed = regionSlate(release, regions, others)
    return plain(bare ? listed : filledUp(release, regions, others, listed, length))
  }
  // Without clicks, and with consent, how the visitor comes is all there is to go by.
  const fromContext = (): Slate | null => {
    if (release.manifest.entry === undefined || !listsRead || !consents(visit.raw, asked, past)) return null
    const entered = entrySlate(release, regions, visitContext(env, visit.raw, asked.referrer, nowOf(env, visit.raw)), allow)
    if (entered === null) return null
    return { ...plain(bare ? entered : filledUp(release, regions, allow, entered, length)), cohort: entered.cohort }
  }
  if (asked.scenario === 'popular') return fromRegion()
  if (asked.scenario === 'trending')
    return plain(filledUp(release, regions, allow, trendingSlate(release, overlay, regions, allow), length))
  if (asked.scenario === 'recently-viewed') return plain(recentSlate(history, allow))

  const home = asked.scenario === 'home'
  const anchors = home || bare ? [] : anchorsOf(release, history, asked)
  // Without anything to go by, the region's list is the answer.
  if (home || bare ? history.length === 0 : anchors.length === 0) return ((home || bare) && fromContext()) || fromRegion(anchors)
  const all = anchors.length === 0 ? history : distinct([...anchors, ...history])
  const neighboursRead = await release.loadNeighbours(
    ctx,
    all.slice(0, release.manifest.recall.historyItems).map(({ item }) => item),
  )
  const { place, cohort } = placeOfHistory(release, history)
  const trending = trendingItems(release, overlay, regions)
  const ranked = personalSlate(
    release,
    {
      history: all,
      anchors: anchors.length,
      chosen: liked === undefined ? null : indicesOf(release, liked.items),
      relation: home || bare ? null : asked.scenario === 'similar' ? 'similar' : 'together',
      regions,
      cohort,
      place: anchors.length === 0 ? place : undefined,
      trending: home ? trending.items : [],
      trendingRegion: trending.region,
      allow,
      length,
      explain: asked.explain,
      bare,
    },
    listsRead && neighboursRead,
  )
  if (ranked.shown.length === 0 && !bare) return fromRegion(anchors)
  return { ...(home ? plain(filledUp(release, regions, allow, ranked, length)) : plain(ranked)), cohort: cohort >= 0 ? cohort : null }
}

/** What a measured ranking may show: no rule holds, so that it compares with what is computed elsewhere. */
function allButCurrent(release: LoadedRelease, history: readonly HistoryItem[], asked: RecommendationRequest): (item: number) => boolean {
  const current = asked.item === undefined ? history.slice(0, 1).map(({ item }) => item) : indicesOf(release, [asked.item])
  const barred = new Set([...indicesOf(release, asked.exclude), ...(asked.again === true ? [] : current)])
  return (item) => !barred.has(item)
}

/** The items an item page or a cart is about; a cart that is not sent is the one the visitor's events have filled. */
function anchorsOf(release: LoadedRelease, history: readonly HistoryItem[], asked: RecommendationRequest): HistoryItem[] {
  const cart = asked.scenario === 'cart'
  const named = indicesOf(release, [...(asked.item === undefined ? [] : [asked.item]), ...(asked.items ?? [])])
  if (named.length > 0) return distinct(named.map((item) => ({ item, deed: cart ? IN_CART : VIEWED, age: 0 })))
  return cart ? history.filter(({ deed }) => deed === IN_CART) : []
}

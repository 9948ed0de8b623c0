import { nearestList } from '../../shared/ranking/candidates.ts'
import { type Candidates, NOWHERE } from '../../shared/ranking/recall-space.ts'
import { PURCHASED } from '../../shared/ranking/release-view.ts'
import { placeIn } from '../../shared/release/neighbour-pack.ts'
import type { Source } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import type { PersonalRequest } from './personal-slate.ts'
import type { Shown, ShownReason } from './shown.ts'

/** Where the candidates of one request can come from, as far as it is the same for all of them. */
export type Origins = {
  release: LoadedRelease
  request: PersonalRequest
  candidates: Candidates
  /** Reasons that many of them share; undefined where no list was used. */
  popularWithCohort: ShownReason | undefined
  popularIn: ShownReason | undefined
  trendingIn: ShownReason
}

export function originsOf(release: LoadedRelease, request: PersonalRequest, candidates: Candidates): Origins {
  const { cohort, regions } = request
  const cohortList = cohort < 0 ? undefined : nearestList(release, regions, cohort)
  const regionList = nearestList(release, regions, -1)
  return {
    release,
    request,
    candidates,
    popularWithCohort: cohortList && { code: 'popular-with-cohort', cohort },
    popularIn: regionList && { code: 'popular-in', region: regionList.region },
    trendingIn: { code: 'trending-in', region: request.trendingRegion },
  }
}

const AGAIN: ShownReason = { code: 'again' }
const VIEWED: ShownReason = { code: 'viewed' }
const CHOSEN: ShownReason = { code: 'chosen' }
const NEW: ShownReason = { code: 'new' }

/** Which source brought a candidate, and the reasons that really contributed, most telling first. */
export function originOf(origins: Origins, position: number, placedAsNew: boolean): Pick<Shown, 'source' | 'reasons'> {
  const { candidates, request, popularIn, popularWithCohort, trendingIn } = origins
  const reasons: ShownReason[] = []
  const link = linkOf(origins, position)
  if (link !== null) {
    reasons.push({ code: link.together ? 'bought-with' : 'similar-to', of: link.of })
    if (link.both) reasons.push({ code: link.together ? 'similar-to' : 'bought-with', of: link.of })
  }
  const past = request.history[candidates.historyPosition[position]]
  const inHistory = candidates.historyPosition[position] !== NOWHERE && past !== undefined
  if (inHistory && request.chosen === null) reasons.push(past.deed === PURCHASED ? AGAIN : VIEWED)
  // What only stands for a category that they named was neither looked at nor chosen.
  if (inHistory && request.chosen?.includes(past.item)) reasons.push(CHOSEN)
  if (candidates.trending[position] > 0) reasons.push(trendingIn)
  if (candidates.fresh[position] > 0) reasons.push(NEW)
  if (candidates.cohortList[position] > 0 && popularWithCohort !== undefined) reasons.push(popularWithCohort)
  if (candidates.regionList[position] > 0 && popularIn !== undefined) reasons.push(popularIn)
  return { source: placedAsNew ? 'new' : sourceOf(candidates, position, link, inHistory), reasons }
}

/** `together` tells which of the two weights speaks more for the candidate, `both` that the other does so too. */
type Link = { of: number; together: boolean; both: boolean }

/** From this share of the best neighbour's weight on, the weaker of the two is a reason of its own. */
const TELLING = 64

/**
 * The history item that speaks most for a candidate, and by which of its two weights. On an item page and for a cart only
 * the page's or the cart's own items count.
 */
function linkOf({ release, request, candidates }: Origins, position: number): Link | null {
  const item = candidates.item[position]
  if (request.relation === null) {
    const because = request.history[candidates.because[position]]
    if (candidates.because[position] === NOWHERE || because === undefined) return null
    const { similar, together } = sharesOf(release, because.item, item)
    if (similar + together === 0) return null
    return { of: because.item, together: together > similar, both: Math.min(similar, together) >= TELLING }
  }
  let best: Link | null = null
  let most = 0
  for (const anchor of request.history.slice(0, request.anchors)) {
    const weight = sharesOf(release, anchor.item, item)[request.relation]
    if (weight > most) {
      most = weight
      best = { of: anchor.item, together: request.relation === 'together', both: false }
    }
  }
  return best
}

/** Weights relative to the best of their kind among the item's neighbours, 0 … 255: the two kinds have no common unit. */
function sharesOf(release: LoadedRelease, from: number, to: number): { similar: number; together: number } {
  const row = release.neighbours(from)
  const i = row === undefined ? -1 : placeIn(row, to)
  return row === undefined || i < 0 ? { similar: 0, together: 0 } : { similar: row.similar[i], together: row.together[i] }
}

function sourceOf(candidates: Candidates, position: number, link: Link | null, inHistory: boolean): Source {
  if (link !== null) return link.together ? 'together' : 'neighbours'
  if (inHistory) return 'history'
  if (candidates.trending[position] > 0) return 'trending'
  if (candidates.cohortList[position] > 0) return 'cohort-list'
  return candidates.regionList[position] > 0 ? 'region-list' : 'new'
}

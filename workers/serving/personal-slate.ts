import type { LiveItem, RecallRequest } from '../../shared/ranking/candidates.ts'
import { NOWHERE } from '../../shared/ranking/candidates.ts'
import { foldIn } from '../../shared/ranking/cohort.ts'
import { FEATURE_COUNT, features } from '../../shared/ranking/features.ts'
import { type Ranking, rankCandidates } from '../../shared/ranking/rank.ts'
import { roundScore } from '../../shared/ranking/reference-scorer.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { capCategories, placeNewItem } from '../../shared/ranking/slate.ts'
import type { Rung, Source } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { score } from '../scoring/scorer.ts'
import type { Shown } from './shown.ts'

export type PersonalRequest = {
  /** Newest first; for an item page or a cart, its items come first and `anchors` says how many they are. */
  history: readonly HistoryItem[]
  anchors: number
  /** Which weight a candidate must have from an anchor; null for `home`. */
  relation: 'similar' | 'together' | null
  regions: readonly string[]
  cohort: number
  trending: readonly LiveItem[]
  allow: (item: number) => boolean
  /** How many items from the front the caller sees, offset included. */
  length: number
  explain: boolean
}

const NEW_CANDIDATES = 10

/** Recall, rank and arrange. The rung tells which scorer ordered the slate. @param complete whether every neighbour pack was read */
export async function personalSlate(
  release: LoadedRelease,
  request: PersonalRequest,
  complete: boolean,
): Promise<{ shown: Shown[]; rung: Rung }> {
  const { relation } = request
  const recallRequest: RecallRequest = { ...request, fresh: relation === null ? freshItems(release, request) : [] }
  const related = relation === null ? null : relatedItems(release, request.history.slice(0, request.anchors), relation)
  const allow = (item: number): boolean => request.allow(item) && (related === null || related.has(item))
  let by: 'onnx' | 'reference' | 'list-order' = 'list-order'
  const scorer = async (x: Float32Array, count: number): Promise<Float32Array> => {
    const scored = await score(release.weights, x, count)
    by = scored.by
    return scored.scores
  }
  // With a part of the neighbours unread the features would be wrong in silence, and the ranker knows what comes next, not
  // what goes together: both are ordered by weights alone, and the rung says so.
  const ranking = await rankCandidates(
    release,
    release.space,
    recallRequest,
    release.manifest.ranker === 'mlp' && complete ? scorer : null,
    allow,
  )
  const { order, placed } = arrange(release, ranking, request)
  return { shown: order.slice(0, request.length).map((position) => shownItem(ranking, request, position, placed)), rung: by }
}

function arrange(
  release: LoadedRelease,
  ranking: Ranking,
  { relation, length }: PersonalRequest,
): { order: number[]; placed: number | null } {
  const order = Array.from(ranking.order)
  if (relation === 'together') return { order: byTogether(ranking, order), placed: null }
  if (relation === 'similar') return { order, placed: null }
  const { item, fresh } = ranking.candidates
  const capped = capCategories(order, (position) => release.core.category[item[position]], length)
  return placeNewItem(capped, (position) => fresh[position] > 0, length)
}

const byTogether = ({ candidates: { together } }: Ranking, order: readonly number[]): number[] =>
  order.toSorted((a, b) => together[b] - together[a])

/** Items an anchor points to. */
function relatedItems(release: LoadedRelease, anchors: readonly HistoryItem[], relation: 'similar' | 'together'): Set<number> {
  const related = new Set<number>()
  for (const { item } of anchors) {
    const row = release.neighbours(item)
    row?.items.forEach((other, i) => {
      if (row[relation][i] > 0) related.add(other)
    })
  }
  for (const { item } of anchors) related.delete(item)
  return related
}

/** New items nearest to the visitor; none for a visitor without a place. */
function freshItems(release: LoadedRelease, { history, allow }: PersonalRequest): LiveItem[] {
  const { core, newItems, manifest } = release
  const visitor = foldIn(core, history, manifest.recall)
  if (visitor === undefined) return []
  const past = new Set(history.map(({ item }) => item))
  const near = newItems.flatMap((item) => {
    if (past.has(item) || !allow(item)) return []
    let dot = 0
    for (let d = 0; d < core.dimensions; d++) dot += visitor[d] * core.vectors[item * core.dimensions + d]
    return dot > 0 ? [{ item, score: dot / 127 }] : []
  })
  return near.sort((a, b) => b.score - a.score || a.item - b.item).slice(0, NEW_CANDIDATES)
}

function shownItem(ranking: Ranking, request: PersonalRequest, position: number, placed: number | null): Shown {
  const { candidates, scores } = ranking
  const score = request.relation === 'together' ? roundScore(candidates.together[position]) : scores[position]
  const shown: Shown = { item: candidates.item[position], score, ...originOf(ranking, request, position, placed) }
  if (request.explain) shown.explain = { features: featuresOf(ranking, position), sources: sourceScores(ranking, position) }
  return shown
}

/** Which source brought the item, and the reasons that really contributed, most telling first. */
function originOf(
  { candidates }: Ranking,
  { history, regions, cohort, relation }: PersonalRequest,
  position: number,
  placed: number | null,
): Pick<Shown, 'source' | 'reasons'> {
  const reasons: Shown['reasons'] = []
  const because = history[candidates.because[position]]
  const byTogether = candidates.together[position] > 0 && (relation === 'together' || candidates.similar[position] <= 0)
  if (because !== undefined && candidates.because[position] !== NOWHERE)
    reasons.push({ code: byTogether ? 'bought-with' : 'similar-to', of: because.item })
  if (candidates.historyPosition[position] !== NOWHERE)
    reasons.push({ code: history[candidates.historyPosition[position]].deed === 2 ? 'again' : 'viewed' })
  if (candidates.trending[position] > 0) reasons.push({ code: 'trending-in', region: regions[0] })
  if (candidates.fresh[position] > 0) reasons.push({ code: 'new' })
  if (candidates.cohortList[position] > 0) reasons.push({ code: 'popular-with-cohort', cohort })
  if (candidates.regionList[position] > 0) reasons.push({ code: 'popular-in', region: regions[0] })
  return { source: position === placed ? 'new' : sourceOf(candidates, position, byTogether), reasons }
}

function sourceOf(candidates: Ranking['candidates'], position: number, byTogether: boolean): Source {
  if (candidates.because[position] !== NOWHERE) return byTogether ? 'together' : 'neighbours'
  if (candidates.historyPosition[position] !== NOWHERE) return 'history'
  if (candidates.trending[position] > 0) return 'trending'
  if (candidates.cohortList[position] > 0) return 'cohort-list'
  return candidates.regionList[position] > 0 ? 'region-list' : 'new'
}

const featuresOf = ({ features: values }: Ranking, position: number): Record<string, number> =>
  values.length === 0 ? {} : Object.fromEntries(features.map(({ name }, f) => [name, round(values[position * FEATURE_COUNT + f])]))

function sourceScores({ candidates }: Ranking, position: number): Partial<Record<Source, number>> {
  const all: [Source, number][] = [
    ['neighbours', candidates.similar[position]],
    ['together', candidates.together[position]],
    ['cohort-list', candidates.cohortList[position]],
    ['region-list', candidates.regionList[position]],
    ['trending', candidates.trending[position]],
    ['new', candidates.fresh[position]],
  ]
  return Object.fromEntries(all.filter(([, value]) => value > 0).map(([source, value]) => [source, round(value)]))
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4

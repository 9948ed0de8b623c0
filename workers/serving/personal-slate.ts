import { probabilities } from '../../shared/ranking/calibration.ts'
import type { LiveItem } from '../../shared/ranking/candidates.ts'
import { foldIn } from '../../shared/ranking/cohort.ts'
import { FEATURE_COUNT, features } from '../../shared/ranking/features.ts'
import { type Ranking, rankCandidates, type Scorer } from '../../shared/ranking/rank.ts'
import type { Candidates } from '../../shared/ranking/recall-space.ts'
import { roundScore } from '../../shared/ranking/reference-scorer.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { capCategories, placeNewItem } from '../../shared/ranking/slate.ts'
import type { Source } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { score } from '../scoring/scorer.ts'
import { originOf, originsOf } from './origin.ts'
import type { Shelf, Shown } from './shown.ts'

export type PersonalRequest = {
  /** Newest first; for an item page or a cart, its items come first and `anchors` says how many they are. */
  history: readonly HistoryItem[]
  anchors: number
  /** Where the history is what the visitor said they like, the items they named; null where it is what they did. */
  chosen: readonly number[] | null
  /** Which weight a candidate must have from an anchor; null for `home`. */
  relation: 'similar' | 'together' | null
  regions: readonly string[]
  cohort: number
  /** The history's fold-in, where it is known. */
  place: Float32Array | undefined
  trending: readonly LiveItem[]
  trendingRegion: string
  allow: (item: number) => boolean
  /** How many items from the front the caller sees, offset included. */
  length: number
  explain: boolean
  /** The ranking alone, for measuring it: nothing new is brought in, and nothing rearranged. */
  bare: boolean
}

const NEW_CANDIDATES = 10

/** Recall, rank and arrange. The rung tells which scorer ordered the slate. @param complete whether every pack it needs was read */
export function personalSlate(release: LoadedRelease, request: PersonalRequest, complete: boolean): Shelf {
  const { relation, anchors, history } = request
  const related = relation === null ? null : relatedItems(release, history.slice(0, anchors), relation)
  const allow = (item: number): boolean => request.allow(item) && (related === null || related.has(item))
  // The ranker knows what comes next, not what goes together.
  const ranker = relation === 'together' ? null : rankerOf(release, complete)
  const fresh = relation === null && !request.bare ? freshItems(release, request) : []
  const ranking = rankCandidates(release, release.space, { ...request, fresh }, ranker?.scorer ?? null, allow)
  const by = ranker?.by() ?? 'list-order'
  const { order, placed } = arrange(release, ranking, request, related)
  const { calibration } = release.manifest
  const told = calibration === undefined || by === 'list-order' ? null : probabilities(calibration, ranking.scores)
  const origins = originsOf(release, request, ranking.candidates)
  const shown: Shown[] = []
  for (let place = 0; place < Math.min(order.length, request.length); place++) {
    const position = order[place]
    const item = ranking.candidates.item[position]
    const score = relation === 'together' ? roundScore(related?.get(item) ?? 0) : (told?.(position) ?? ranking.scores[position])
    const { source, reasons } = originOf(origins, position, position === placed)
    const about: Shown = { item, score, source, reasons }
    if (request.explain) about.explain = { features: featuresOf(ranking, position), sources: sourceScores(ranking.candidates, position) }
    shown.push(about)
  }
  return { shown, rung: by }
}

export type Ranker = { scorer: Scorer; by(): 'onnx' | 'reference' | 'list-order' }

/**
 * The release's ranker, and which scorer it turned out to be; null where weights alone decide: with a part of the packs
 * unread its features would be wrong in silence. @param complete whether every pack was read
 */
export function rankerOf({ weights, manifest }: LoadedRelease, complete: boolean): Ranker | null {
  if (weights === null || manifest.ranker !== 'mlp' || !complete) return null
  let by: ReturnType<Ranker['by']> = 'list-order'
  const scorer: Scorer = (x, count) => {
    const scored = score(weights, x, count)
    by = scored.by
    return scored.scores
  }
  return { scorer, by: () => by }
}

function arrange(
  { core }: LoadedRelease,
  ranking: Ranking,
  { relation, bare, length }: PersonalRequest,
  related: ReadonlyMap<number, number> | null,
): { order: readonly number[]; placed: number | null } {
  const { item, fresh } = ranking.candidates
  const weightOf = (position: number): number => related?.get(item[position]) ?? 0
  if (relation === 'together') return { order: Array.from(ranking.order).sort((a, b) => weightOf(b) - weightOf(a)), placed: null }
  if (relation === 'similar' || bare) return { order: Array.from(ranking.order), placed: null }
  // As far as it is shown, and as far as the best new item, which may be shown higher up.
  let looked = 0
  let met = !anyAbove0(fresh)
  const isEnough = (arranged: readonly number[]): boolean => {
    while (!met && looked < arranged.length) met = fresh[arranged[looked++]] > 0
    return met && arranged.length >= length
  }
  const capped = capCategories(ranking.order, (position) => core.category[item[position]], isEnough)
  return placeNewItem(capped, (position) => fresh[position] > 0)
}

function anyAbove0(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] > 0) return true
  return false
}

/** Items the anchors point to, with the summed weight of that relation. */
function relatedItems(release: LoadedRelease, anchors: readonly HistoryItem[], relation: 'similar' | 'together'): Map<number, number> {
  const related = new Map<number, number>()
  for (const { item } of anchors) {
    const row = release.neighbours(item)
    if (row === undefined) continue
    const scale = relation === 'similar' ? row.similarScale : row.togetherScale
    const weights = row[relation]
    for (let i = row.from; i < row.to; i++) {
      const other = row.items[i]
      if (weights[i] > 0) related.set(other, (related.get(other) ?? 0) + weights[i] * scale)
    }
  }
  for (const { item } of anchors) related.delete(item)
  return related
}

/** New items nearest to the visitor; none for a visitor without a place. */
function freshItems(release: LoadedRelease, { history, place, allow }: PersonalRequest): LiveItem[] {
  const { core, newItems, manifest } = release
  if (newItems.length === 0) return []
  const visitor = place ?? foldIn(core, history, manifest.recall)
  if (visitor === undefined) return []
  const past = new Set(history.map(({ item }) => item))
  const near: LiveItem[] = []
  for (const item of newItems) {
    if (past.has(item) || !allow(item)) continue
    let dot = 0
    for (let d = 0; d < core.dimensions; d++) dot += visitor[d] * core.vectors[item * core.dimensions + d]
    if (dot > 0) near.push({ item, score: dot / 127 })
  }
  return near.sort((a, b) => b.score - a.score || a.item - b.item).slice(0, NEW_CANDIDATES)
}

const featuresOf = ({ features: values }: Ranking, position: number): Record<string, number> =>
  values.length === 0 ? {} : Object.fromEntries(features.map(({ name }, f) => [name, round(values[position * FEATURE_COUNT + f])]))

function sourceScores(candidates: Candidates, position: number): Partial<Record<Source, number>> {
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

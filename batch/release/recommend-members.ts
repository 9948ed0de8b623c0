import { parseOverlay } from '../../shared/overlay.ts'
import { nearestList } from '../../shared/ranking/candidates.ts'
import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { rankCandidates, type Scorer } from '../../shared/ranking/rank.ts'
import { RecallSpace } from '../../shared/ranking/recall-space.ts'
import { referenceScores, roundScore } from '../../shared/ranking/reference-scorer.ts'
import { regionPath } from '../../shared/ranking/regions.ts'
import { type HistoryItem, IN_CART, PURCHASED, VIEWED } from '../../shared/ranking/release-view.ts'
import { AVAILABLE, itemByHash } from '../../shared/release/core-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { packOfSlot } from '../../shared/release/manifest.ts'
import { decodeMembers, memberSlot } from '../../shared/release/member-pack.ts'
import { decodeModel } from '../../shared/release/model-pack.ts'
import { isOpen } from '../../shared/schemas/items.ts'
import { continentOf } from '../learn/lists.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import type { ReadRelease } from './read-release.ts'

const DAY_SECONDS = 86_400

/** What one visitor is recommended: `personal` where the release has their history, else the region's list. */
export type MemberList = { source: 'personal' | 'region-list'; region: string; items: { item: number; score: number }[] }

/**
 * Lists for visitors by pseudonym, from the release's member packs: recall and ranking are the edge's own, the scorer is the
 * reference one. What is bought already is left out, and what must not be shown now by the live overlay.
 * @param now Unix milliseconds
 */
export async function memberLists(kv: KvSink, { view, packs }: ReadRelease, now: number) {
  const { core, manifest } = view
  const bytes = (hash: string): ArrayBuffer => (packs.get(hash) ?? new Uint8Array()).buffer
  const weights = decodeModel(bytes(manifest.model.hash))
  const members = manifest.members.map(({ hash }) => decodeMembers(bytes(hash)))
  const regions = new Set(manifest.lists.flatMap((pack) => pack.regions))
  const space = new RecallSpace(core.items)
  const barred = await barredItems(kv, view, now)
  const scorer: Scorer | null =
    manifest.ranker !== 'mlp'
      ? null
      : (x, count) => {
          const scores = new Float32Array(count)
          referenceScores(weights, x, count, scores)
          return scores
        }

  return async (pseudonym: string, country: string, limit: number): Promise<MemberList> => {
    const path = regionPath(regions, country === '' ? null : country, continentOf(country) || null)
    const row = members.length === 0 ? undefined : members[packOfSlot(manifest.members, memberSlot(pseudonym))].get(pseudonym)
    const history = Array.from(row?.items ?? [], (item, i): HistoryItem => {
      const deed = row?.deeds[i]
      return { item, deed: deed === IN_CART || deed === PURCHASED ? deed : VIEWED, age: DAY_SECONDS * (row?.days[i] ?? 0) }
    })
    const bought = new Set(history.filter(({ deed }) => deed === PURCHASED).map(({ item }) => item))
    const allow = (item: number): boolean => (core.flags[item] & AVAILABLE) !== 0 && !barred.has(item) && !bought.has(item)
    const place = foldIn(core, history, manifest.recall)
    if (place !== undefined) {
      const request = { history, regions: path, cohort: nearestCohort(core, place), trending: [], fresh: [] }
      const { candidates, order, scores } = rankCandidates(view, space, request, scorer, allow)
      const items = Array.from(order.subarray(0, limit), (position) => ({ item: candidates.item[position], score: scores[position] }))
      if (items.length > 0) return { source: 'personal', region: path[0], items }
    }
    const nearest = nearestList(view, path, -1)
    const items = Array.from(nearest?.list.items ?? [], (item, i) => ({ item, score: roundScore((nearest?.list.scores[i] ?? 0) / 255) }))
    return { source: 'region-list', region: nearest?.region ?? path[0], items: items.filter(({ item }) => allow(item)).slice(0, limit) }
  }
}

/** Hidden, sold out, removed, or outside their time since the night. */
async function barredItems(kv: KvSink, { core, manifest }: ReadRelease['view'], now: number): Promise<Set<number>> {
  const value = await kv.get(OVERLAY_KEY)
  const overlay = value === null ? null : parseOverlay(new TextDecoder().decode(value))
  if (overlay === null) return new Set()
  const gone = overlay.items.filter(({ removed, fields }) => removed || fields.available === false || !isOpen(fields, now))
  const ids = [...overlay.hidden, ...overlay.unavailable, ...gone.map(({ item }) => item)]
  return new Set(ids.map((id) => itemByHash(core, itemHash(id, manifest.idSalt))))
}

import * as v from 'valibot'
import { emptyOverlay } from '../../shared/overlay.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import { type HistoryItem, VIEWED } from '../../shared/ranking/release-view.ts'
import { decodeCore } from '../../shared/release/core-pack.ts'
import { decodeDisplay } from '../../shared/release/display-pack.ts'
import { canonicalJson } from '../../shared/release/hash.ts'
import { decodeLists } from '../../shared/release/list-pack.ts'
import { ManifestSchema, parseChannel } from '../../shared/release/manifest.ts'
import { decodeModel } from '../../shared/release/model-pack.ts'
import { decodeNeighbours } from '../../shared/release/neighbour-pack.ts'
import { RecommendationBody } from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { indicesOf } from '../releases/item-index.ts'
import { assembled } from '../releases/loaded-release.ts'
import { PackCache } from '../releases/pack-cache.ts'
import { PackReader } from '../releases/pack-reader.ts'
import { withOverlay } from '../releases/with-overlay.ts'
import { slateJson } from './answer.ts'
import { filledUp, trendingItems } from './list-slate.ts'
import { personalSlate } from './personal-slate.ts'
import { allowedItems } from './policy.ts'
import { idOf, tinyRelease } from './tiny-release.ts'
import { distinct, placeOfHistory } from './visit.ts'

/**
 * Answers once from a made-up release of a few items. Done while an isolate starts, before any visitor is there: V8 compiles a
 * function when it is first called, and for a cold answer that took longer than answering did. Nothing may wait here for
 * anything, nor draw random numbers: the platform allows neither before the first request.
 * @returns the answer, which nobody gets
 */
export async function rehearse(): Promise<string> {
  const tiny = tinyRelease()
  const entry = { release: 'rehearsal', manifest: tiny.manifest }
  const channel = { v: 1, stable: entry, canary: null, percent: 0, guard: null, previous: null, movedAt: 0 }
  const { stable } = parseChannel(JSON.stringify(channel))
  const manifest = v.parse(ManifestSchema, JSON.parse(canonicalJson(stable.manifest)))
  const packs = new PackCache(0)
  packs.add(manifest.neighbours[0].hash, decodeNeighbours(tiny.neighbours), 0)
  packs.add(manifest.lists[0].hash, decodeLists(tiny.lists), 0)
  packs.add(manifest.display[0].hash, decodeDisplay(tiny.display), 0)
  const read = {
    core: decodeCore(tiny.core),
    weights: decodeModel(tiny.model),
    regions: new Set([EVERYWHERE]),
    prefetched: Promise.resolve(),
  }
  const release = withOverlay(assembled({ release: 'rehearsal', manifest }, read, new PackReader(null, packs)), emptyOverlay)
  const { exclude, filter, limit, offset } = v.parse(RecommendationBody, {
    limit: 40,
    token: 'sealed',
    consent: 'granted',
    exclude: [idOf(1)],
  })
  const allow = allowedItems(release, indicesOf(release, exclude), filter, 0)
  const history = distinct(indicesOf(release, [idOf(5), idOf(9)]).map((item, i): HistoryItem => ({ item, deed: VIEWED, age: 60 * i })))
  const complete = (await release.loadLists(NOBODY, [EVERYWHERE])) && (await release.loadNeighbours(NOBODY, [5, 9]))
  const request = {
    history,
    anchors: 0,
    chosen: null,
    relation: null,
    regions: [EVERYWHERE],
    ...placeOfHistory(release, history),
    trending: trendingItems(release, emptyOverlay, [EVERYWHERE]).items,
    trendingRegion: EVERYWHERE,
    allow,
    length: limit,
    explain: false,
    bare: false,
  }
  const { shown, rung } = filledUp(release, [EVERYWHERE], allow, personalSlate(release, request, complete), limit)
  return slateJson(NOBODY, release, { shown: shown.slice(0, limit), rung, cohort: request.cohort, region: EVERYWHERE }, offset, 'rehearsal')
}

const NOBODY: Background = { waitUntil: () => undefined }

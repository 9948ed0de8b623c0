import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { continentRegion, EVERYWHERE, regionPath } from '../../shared/ranking/regions.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { itemByHash } from '../../shared/release/core-pack.ts'
import type { RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { consentOf, type Identity, identify } from '../identity/identify.ts'
import { openMemory } from '../identity/memory-token.ts'
import { readVisitor, seedVisitor } from '../objects/visitor-client.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { indexOf } from './policy.ts'

/** What is known of who asks. Without proof or without consent there is no history, and nothing tells that there is one. */
export type Visit = { history: HistoryItem[]; regions: string[] }

/** @param release to which item indices refer */
export async function visitOf(
  env: Env,
  ctx: Background,
  raw: Request,
  asked: RecommendationRequest,
  release: LoadedRelease,
): Promise<Visit> {
  return { history: await historyOf(env, ctx, raw, asked, release), regions: regionsOf(env, raw, asked, release) }
}

async function historyOf(
  env: Env,
  ctx: Background,
  raw: Request,
  asked: RecommendationRequest,
  release: LoadedRelease,
): Promise<HistoryItem[]> {
  const consent = consentOf(raw, asked.consent)
  if (consent === 'denied') return []
  const identity = await identify(env, raw, asked.visitor)
  if (identity === null) return []
  const now = Date.now()
  // Tokens hold hashes under salt 0; a catalogue that needed another salt is served from the object.
  const memory = asked.token !== undefined && release.manifest.idSalt === 0 ? await openMemory(env, identity, asked.token, now) : null
  if (memory !== null) return distinct(memory.items.map(({ hash, deed }) => ({ item: itemByHash(release.core, hash), deed })))
  const state = await readVisitor(env, identity)
  if (state !== null && (consent === 'granted' || state.consent === 'granted')) {
    return distinct(state.items.map(({ id, deed }) => ({ item: indexOf(release, id), deed })))
  }
  return consent === 'granted' ? importedHistory(env, ctx, identity, release, now) : []
}

/** The history that the batch knows of a visitor the edge has not met; it becomes the start of their object. */
async function importedHistory(env: Env, ctx: Background, identity: Identity, release: LoadedRelease, now: number): Promise<HistoryItem[]> {
  try {
    const items = Array.from((await release.member(identity.hash)) ?? [])
    if (items.length === 0) return []
    ctx.waitUntil(
      release.loadDisplay(items).then(() =>
        seedVisitor(
          env,
          identity,
          items.map((item, i) => ({ id: release.display(item).id, deed: 2, at: now - i })),
          now,
        ),
      ),
    )
    return items.map((item) => ({ item, deed: 2 }))
  } catch {
    return []
  }
}

/** Items the release knows, each once, the newest place counting. */
export function distinct(history: readonly HistoryItem[]): HistoryItem[] {
  const seen = new Set<number>()
  return history.filter(({ item }) => item >= 0 && !seen.has(item) && seen.add(item))
}

export function cohortOf(release: LoadedRelease, history: readonly HistoryItem[]): number {
  const place = foldIn(release.core, history, release.manifest.recall)
  return place === undefined ? -1 : nearestCohort(release.core, place)
}

/** From the narrowest region with lists outwards: the one asked for, else where the network says the visitor is. */
function regionsOf(env: Env, raw: Request, asked: RecommendationRequest, { regions }: LoadedRelease): string[] {
  const { country, continent } = placeOf(env, raw)
  if (asked.region === undefined) return regionPath(regions, country, continent)
  return pathFrom(asked.region, regions, asked.region === country ? continent : null)
}

/** A region named by the caller, then its continent where that is known, then everywhere. */
export function pathFrom(region: string, known: ReadonlySet<string>, continent: string | null): string[] {
  const wider = continent !== null && known.has(continentRegion(continent)) ? [continentRegion(continent)] : []
  return [...new Set([...(known.has(region) ? [region] : []), ...wider, EVERYWHERE])]
}

export function placeOf(env: Env, raw: Request): { country: string; continent: string | null } {
  const { cf } = raw
  if (typeof cf?.country === 'string') return { country: cf.country, continent: typeof cf.continent === 'string' ? cf.continent : null }
  return { country: env.DEFAULT_COUNTRY, continent: env.DEFAULT_CONTINENT }
}

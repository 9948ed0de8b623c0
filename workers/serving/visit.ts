import type { Memory } from '../../shared/memory.ts'
import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { type HistoryItem, IN_CART, PURCHASED, VIEWED } from '../../shared/ranking/release-view.ts'
import { itemByHash } from '../../shared/release/core-pack.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import type { RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import { type Background, behind } from '../background.ts'
import { nowOf } from '../bench.ts'
import { consentOf, settled } from '../identity/consent.ts'
import { type Identity, identify } from '../identity/identify.ts'
import { openMemory } from '../identity/memory-token.ts'
import { warn } from '../log.ts'
import { readVisitor, seedVisitor } from '../objects/visitor-client.ts'
import type { VisitorItem, VisitorState } from '../objects/visitor-state.ts'
import type { Reading } from '../reading.ts'
import { indexOf, indicesOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'

/** Who asks, where proof and consent allow to know: what their token or their object remembers at `now` (Unix milliseconds). */
export type Past = { identity: Identity; said: Consents; memory: Memory | null; state: VisitorState | null; now: number } | null

/** What of a request says who asks. */
type Asking = Pick<RecommendationRequest, 'consent' | 'visitor' | 'token'> & { excludePurchased?: boolean }

/**
 * Null without proof or without consent: there is no history then, and nothing tells that there is one. Needs no release,
 * so that it is found out while the release is read. Never throws.
 */
export async function pastOf(env: Env, raw: Request, asked: Asking): Promise<Past> {
  try {
    const said = consentOf(raw, asked.consent)
    if (said.personalisation === 'denied') return null
    const known = identify(env, raw, asked.visitor)
    const identity = known instanceof Promise ? await known : known
    if (identity === null) return null
    const now = nowOf(env, raw)
    const opened = asked.token === undefined ? null : await openMemory(env, identity, asked.token, now)
    // A token without items says less than the object, which also has what the visitor said they like.
    const memory = opened !== null && opened.items.length > 0 ? opened : null
    // The token holds the last items only; what was bought before them the object knows.
    const state = memory === null || asked.excludePurchased ? await readVisitor(env, identity) : null
    return state !== null && !allows(state, said) ? null : { identity, said, memory, state, now }
  } catch (error) {
    warn('visitor-unknown', error)
    return null
  }
}

/** Whether this request, or an earlier one, allows to use what the object holds. */
const allows = (state: VisitorState, said: Consents): boolean => settled(state.consent, said).personalisation === 'granted'

/** Whether the visitor said yes, now or earlier. */
export const consents = (raw: Request, asked: RecommendationRequest, past: Past): boolean =>
  consentOf(raw, asked.consent).personalisation === 'granted' || (past !== null && (past.memory !== null || past.state !== null))

/** The visitor's history in terms of a release. */
export function historyOf(env: Env, ctx: Background, past: Past, release: LoadedRelease): Reading<HistoryItem[]> {
  if (past === null) return []
  const { memory, now } = past
  // Tokens hold hashes under salt 0; a catalogue that needed another salt is served from the object.
  if (memory !== null && release.manifest.idSalt === 0)
    return distinct(memory.items.map(({ hash, deed, at }) => ({ item: itemByHash(release.core, hash), deed, age: ageAt(now, at) })))
  return historyOfObject(env, ctx, past, release)
}

async function historyOfObject(env: Env, ctx: Background, past: NonNullable<Past>, release: LoadedRelease): Promise<HistoryItem[]> {
  const { identity, said, memory, now } = past
  const state = past.state ?? (memory === null ? null : await readVisitor(env, identity))
  if (state !== null && !allows(state, said)) return []
  if (state !== null) return distinct(state.items.map(({ id, deed, at }) => ({ item: indexOf(release, id), deed, age: ageAt(now, at) })))
  return said.personalisation === 'granted' ? importedHistory(env, ctx, past, release) : []
}

/** Seconds since `at` (Unix milliseconds); a clock that is ahead makes nothing younger than now. */
const ageAt = (now: number, at: number): number => Math.max(0, (now - at) / 1000)

/** What the visitor is known to have bought, as far as it is remembered. */
export function purchasedOf(past: Past, history: readonly HistoryItem[], release: LoadedRelease): number[] {
  const recent = history.filter(({ deed }) => deed === PURCHASED).map(({ item }) => item)
  return [...recent, ...indicesOf(release, past?.state?.purchased ?? [])]
}

/** The history that the batch knows of a visitor the edge has not met; it becomes the start of their object. */
async function importedHistory(env: Env, ctx: Background, past: NonNullable<Past>, release: LoadedRelease): Promise<HistoryItem[]> {
  const { identity, now } = past
  try {
    const row = await release.member(ctx, identity.hash)
    if (row === undefined) return []
    const end = now / 1000 - release.manifest.now
    const history = Array.from(row.items, (item, i): HistoryItem => {
      const deed = row.deeds[i]
      return { item, deed: deed === IN_CART || deed === PURCHASED ? deed : VIEWED, age: Math.max(0, end + row.days[i] * 86_400) }
    })
    ctx.waitUntil(seed(env, behind(ctx), past, release, history))
    return history
  } catch (error) {
    warn('members-unreadable', error)
    return []
  }
}

async function seed(
  env: Env,
  ctx: Background,
  { identity, said, now }: NonNullable<Past>,
  release: LoadedRelease,
  history: HistoryItem[],
): Promise<void> {
  try {
    await release.loadDisplay(
      ctx,
      history.map(({ item }) => item),
    )
    // A day is all that is known of the time; within it, the order stays.
    const items = history.map(({ item, deed, age }): VisitorItem => ({ id: release.display(item).id, deed, at: now - 1000 * age }))
    await seedVisitor(env, identity, items, said, now)
  } catch (error) {
    warn('seed-failed', error)
  }
}

/** Items the release knows, each once, the newest place counting. */
export function distinct(history: readonly HistoryItem[]): HistoryItem[] {
  const seen = new Set<number>()
  return history.filter(({ item }) => item >= 0 && !seen.has(item) && seen.add(item))
}

/** Where a history lies among the items, undefined for one that says nothing, and the cohort nearest to it, else -1. */
export function placeOfHistory(
  release: LoadedRelease,
  history: readonly HistoryItem[],
): { place: Float32Array | undefined; cohort: number } {
  const place = history.length === 0 ? undefined : foldIn(release.core, history, release.manifest.recall)
  return { place, cohort: place === undefined ? -1 : nearestCohort(release.core, place) }
}

import { DurableObject } from 'cloudflare:workers'
import * as v from 'valibot'
import { AvailabilityBody, emptyOverlay, type Overlay, overlayHash, parseOverlay } from '../../shared/overlay.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { ITEMS_PREFIX, type ItemRecord, type LiveItem } from '../../shared/schemas/items.ts'
import { utf8 } from '../../shared/utf8.ts'
import { answerWithin } from '../background.ts'
import { likeness, readTerms, type Terms } from '../catalogue/likeness.ts'
import { isTakenIn, knows, mostUrgent } from '../catalogue/live-items.ts'
import { warn } from '../log.ts'
import { currentRelease } from '../releases/current.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { since } from '../since.ts'
import { within } from '../within.ts'
import { type Availability, LiveStore } from './live-store.ts'
import { SharedTurn } from './shared-turn.ts'

/** Workers KV takes one write a second to a key, and refuses the others. */
const PACE_MS = 1000
/** Each costs CPU, and holds up whoever else changes something. The others have their turn with the next write to KV. */
const LIKES_A_TURN = 50
const FIRST_RETRY_MS = 2000
const LAST_RETRY_MS = 60_000

const OLD_ITEMS_KEY = 'live/items.json'
const OLD_AVAILABILITY_KEY = 'live/availability.json'
const OldItems = v.object({ items: v.array(v.unknown()) })

/** What has become of a change: how many items are live, and the overlay that shows it; null where that takes longer. */
export type Taken = { live: number; overlay: string | null }

type Composed = { text: string; hash: string; live: number }

/**
 * The deployment's live state, of which the overlay is made. Everyone who changes any of it meets here: a change is a row before
 * it is acknowledged, and the changes of a second become one write to KV. What fails is tried again by alarm.
 */
export class LiveState extends DurableObject<Env> {
  private readonly store: LiveStore
  /** What the cron said last, or KV shows. */
  private trending: Overlay['trending'] | null = null
  /** The hash of what KV was given last, or is being given; null while KV has to be asked. */
  private written: string | null = null
  /** Whether an isolate shows what KV was never given: though it be undone by now, that isolate waits for something newer. */
  private isAhead = false
  private writtenAt = 0
  /** When the newest overlay was made: what isolates show never goes back, though a clock does. */
  private newest: number | null = null
  private terms: { release: string; of: Terms } | null = null
  private areMoreToLike = false
  private failures = 0
  private readonly composing = new SharedTurn(() => this.compose())
  private readonly publishing = new SharedTurn(() => this.publish())

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.store = new LiveStore(ctx.storage)
    if (!this.store.exists()) void ctx.blockConcurrencyWhile(() => this.takeOver())
  }

  /** Takes in changes of the catalogue. @param now Unix milliseconds */
  async change(changes: readonly ItemRecord[], now: number): Promise<Taken> {
    this.store.change(changes, now)
    return this.taken()
  }

  /** Replaces the lists that are given and keeps the others. */
  async setAvailability(change: v.InferOutput<typeof AvailabilityBody>): Promise<Taken & Availability> {
    const before = this.store.availability()
    const availability = { unavailable: change.unavailable ?? before.unavailable, hidden: change.hidden ?? before.hidden }
    this.store.setAvailability(availability)
    return { ...availability, ...(await this.taken()) }
  }

  /**
   * What the cron brings: what trends, and up to when the live release knows the catalogue (null where it is not served). Looks
   * at what KV shows, and mends it. @param now Unix milliseconds
   */
  async refresh(trending: Overlay['trending'], catalogueAt: number | null, now: number): Promise<void> {
    this.trending = trending
    this.written = null
    if (catalogueAt !== null) {
      const done = this.store.items().filter(({ live }) => isTakenIn(live, catalogueAt, now))
      this.store.drop(done.map(({ live }) => live.item))
    }
    await this.publishing.ask()
  }

  /** Writes what waits for the log of the catalogue: the night asks for it before it reads. @throws when R2 does not take it */
  async flush(): Promise<void> {
    for (let waiting = this.store.unlogged(); waiting !== null; waiting = this.store.unlogged()) {
      const { received, lines } = waiting
      const day = new Date(received).toISOString().slice(0, 10)
      // Written twice it does no harm: the same changes in the same order.
      await this.env.EVENTS.put(`${ITEMS_PREFIX}date=${day}/${received}-${(await contentHash(utf8(lines))).slice(0, 16)}.ndjson`, lines)
      this.store.logged(waiting)
    }
  }

  override async alarm(): Promise<void> {
    try {
      await this.publishing.ask()
      this.failures = 0
    } catch (error) {
      warn('live-state-not-shown', error)
      // The platform gives up on an alarm that keeps failing; this one never does.
      await this.ctx.storage.setAlarm(Date.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures++))
    }
  }

  /** What was changed is durable: it is waited for only as long as it shows at once, and the alarm sees to it whatever becomes of the object. */
  private async taken(): Promise<Taken> {
    const patience = answerWithin(this.env)
    await this.wakeUp()
    const isDue = since(this.writtenAt) >= PACE_MS
    const published = this.publishing.ask().catch((error: unknown) => warn('live-state-not-shown', error))
    try {
      const { text, hash, live } = await within(patience, this.composing.ask())
      this.isAhead ||= hash !== this.written
      if (isDue) await within(patience, published).catch(() => undefined)
      return { live, overlay: text }
    } catch (error) {
      warn('live-state-not-shown', error)
      return { live: this.store.count(), overlay: null }
    }
  }

  private async wakeUp(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + 2 * PACE_MS)
  }

  private async publish(): Promise<void> {
    const rest = PACE_MS - since(this.writtenAt)
    if (rest > 0) await scheduler.wait(rest)
    allOf(await Promise.allSettled([this.flush(), this.show()]))
    if (this.areMoreToLike) await this.wakeUp()
  }

  private async show(): Promise<void> {
    const { text, hash } = await this.composing.ask()
    this.written ??= await overlayHash(await this.shown())
    if (hash === this.written && !this.isAhead) return
    this.writtenAt = Date.now()
    this.written = hash
    this.isAhead = false
    try {
      // A decision names the overlay it was made under; the archive is where that can be looked up.
      allOf(await Promise.allSettled([this.env.EVENTS.put(`overlays/${hash}.json`, text), this.env.RELEASES.put(OVERLAY_KEY, text)]))
    } catch (error) {
      this.written = null
      this.isAhead = true
      throw error
    }
  }

  private async compose(): Promise<Composed> {
    const items = this.store.count() === 0 ? [] : await this.liveItems()
    if (this.newest === null || this.trending === null) {
      const shown = await this.shown()
      this.trending ??= shown.trending
      this.newest = Math.max(this.newest ?? 0, shown.at)
    }
    this.newest = Math.max(this.newest + 1, Date.now())
    const overlay: Overlay = { v: 1, at: this.newest, trending: this.trending, ...this.store.availability(), items }
    return { text: JSON.stringify(overlay), hash: await overlayHash(overlay), live: items.length }
  }

  /** What KV shows, perhaps that of a minute ago. */
  private async shown(): Promise<Overlay> {
    return parseOverlay((await this.env.RELEASES.get(OVERLAY_KEY)) ?? '') ?? emptyOverlay
  }

  private async liveItems(): Promise<LiveItem[]> {
    const release = (await currentRelease(this.env, this.ctx))?.loaded ?? null
    if (release !== null) await this.findLikes(release)
    const { kept, dropped } = mostUrgent(this.store.items(), release)
    this.store.drop(dropped)
    return kept
  }

  /** A new item of which this is not known yet is shown where what is new is shown. */
  private async findLikes(release: LoadedRelease): Promise<void> {
    const unliked = this.store.unliked()
    const unknown = unliked.filter(({ live }) => !knows(release, live.item))
    for (const item of unliked) if (!unknown.includes(item)) this.store.like(item, [])
    const fresh = unknown.slice(0, LIKES_A_TURN)
    this.areMoreToLike = false
    if (fresh.length === 0) return
    try {
      if (this.terms?.release !== release.release) this.terms = { release: release.release, of: await readTerms(this.env, release) }
      const likes = likeness(
        this.terms.of,
        fresh.map(({ live }) => live),
      )
      for (const [i, item] of fresh.entries()) this.store.like(item, likes[i])
      this.areMoreToLike = unknown.length > fresh.length
    } catch (error) {
      warn('likeness-failed', error)
    }
  }

  /** What deployments of before kept in R2. */
  private async takeOver(): Promise<void> {
    const [items, availability] = await Promise.all(
      [OLD_ITEMS_KEY, OLD_AVAILABILITY_KEY].map(async (key): Promise<unknown> => (await this.env.EVENTS.get(key))?.json()),
    )
    const { unavailable = [], hidden = [] } = v.parse(AvailabilityBody, availability ?? {})
    this.store.create(v.parse(OldItems, items ?? { items: [] }).items, { unavailable, hidden })
    if (items !== undefined || availability !== undefined) await this.env.EVENTS.delete([OLD_ITEMS_KEY, OLD_AVAILABILITY_KEY])
  }
}

/** @throws the first of the failures, where there are any */
function allOf(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

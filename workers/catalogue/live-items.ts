import * as v from 'valibot'
import { contentHash } from '../../shared/release/hash.ts'
import { changed, ITEMS_PREFIX, type ItemRecord, LiveItem } from '../../shared/schemas/items.ts'
import { utf8 } from '../../shared/utf8.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { currentRelease } from '../releases/current.ts'
import { indexOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { likeness } from './likeness.ts'

/** Where changed items live. KV may show a value of a minute ago; R2 does not, and takes a write only over what was read. */
export const LIVE_ITEMS_KEY = 'live/items.json'
/** More than this beside a release would make every isolate slow; what is over it waits for the night. */
export const MOST_LIVE = 1000
const ATTEMPTS = 10
/** Writers who meet part again by chance, for up to this long after the first time, and twice as long after each other. */
const FIRST_PAUSE_MS = 20
const LAST_PAUSE_MS = 1000
/** Changes that came at nearly the same time may be listed by a night in another order. */
const MARGIN_MS = 5 * 60_000

const State = v.object({ v: v.literal(1), items: v.array(LiveItem) })

export async function readLiveItems(env: Env): Promise<LiveItem[]> {
  const object = await env.EVENTS.get(LIVE_ITEMS_KEY)
  return object === null ? [] : v.parse(State, await object.json()).items
}

/**
 * Takes in changes of the catalogue: first the log that the night reads, then the live items. Doing it again does no harm.
 * @param now Unix milliseconds @returns the live items, to be overlaid @throws where R2 does not take them
 */
export async function changeItems(env: Env, ctx: Background, changes: readonly ItemRecord[], now: number): Promise<LiveItem[]> {
  const text = changes.map((change) => `${JSON.stringify(change)}\n`).join('')
  const day = new Date(now).toISOString().slice(0, 10)
  await env.EVENTS.put(`${ITEMS_PREFIX}date=${day}/${now}-${(await contentHash(utf8(text))).slice(0, 16)}.ndjson`, text)
  const release = (await currentRelease(env, ctx))?.loaded ?? null
  return replaceLive(env, async (before) => {
    const items = new Map(before.map((item) => [item.item, item]))
    for (const change of changes) items.set(change.item, changed(items.get(change.item), change))
    const touched = new Set(changes.map(({ item }) => item))
    const unlike = [...items.values()].filter(({ item, removed }) => touched.has(item) && !removed && !knows(release, item))
    for (const [i, like] of (await likenessOrNone(env, release, unlike)).entries()) items.set(unlike[i].item, { ...unlike[i], like })
    return mostUrgent([...items.values()], release)
  })
}

/** Drops what the release that is live has taken in, as long as no window of it is still to open or close. @param now Unix milliseconds */
export async function pruneLiveItems(env: Env, ctx: Background, now: number): Promise<LiveItem[]> {
  const before = await readLiveItems(env)
  const current = await currentRelease(env, ctx)
  const takenIn = current?.loaded.manifest.lineage.catalogueAt
  if (takenIn === undefined || current?.previous !== false) return before
  const isDone = ({ at, fields }: LiveItem): boolean =>
    at <= takenIn - MARGIN_MS && (fields.from ?? 0) <= now && (fields.until ?? Number.POSITIVE_INFINITY) > now && fields.until === undefined
  return before.some(isDone) ? replaceLive(env, (items) => items.filter((item) => !isDone(item))) : before
}

/** Whoever else wrote in between is read again. */
async function replaceLive(env: Env, change: (items: LiveItem[]) => Promise<LiveItem[]> | LiveItem[]): Promise<LiveItem[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await scheduler.wait(Math.random() * Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)))
    const object = await env.EVENTS.get(LIVE_ITEMS_KEY)
    const after = await change(object === null ? [] : v.parse(State, await object.json()).items)
    const onlyIf = object === null ? new Headers({ 'if-none-match': '*' }) : { etagMatches: object.etag }
    const written = await env.EVENTS.put(LIVE_ITEMS_KEY, JSON.stringify({ v: 1, items: after }), { onlyIf })
    if (written !== null) return after
  }
  throw new Error(`${LIVE_ITEMS_KEY} keeps changing`)
}

const knows = (release: LoadedRelease | null, item: string): boolean => release !== null && indexOf(release, item) >= 0

/** A new item without neighbours is still shown where what is new is shown. */
async function likenessOrNone(env: Env, release: LoadedRelease | null, items: readonly LiveItem[]): Promise<LiveItem['like'][]> {
  if (release === null) return []
  try {
    return await likeness(env, release, items)
  } catch (error) {
    warn('likeness-failed', error)
    return []
  }
}

/** What must not be shown goes first, then what is new, then what is only told anew; the newest change of each. */
function mostUrgent(items: LiveItem[], release: LoadedRelease | null): LiveItem[] {
  const urgency = ({ item, removed, fields }: LiveItem): number =>
    removed || fields.available === false ? 0 : knows(release, item) ? 2 : 1
  return items.sort((a, b) => urgency(a) - urgency(b) || b.at - a.at || (a.item < b.item ? -1 : 1)).slice(0, MOST_LIVE)
}

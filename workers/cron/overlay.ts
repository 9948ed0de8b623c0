import * as v from 'valibot'
import { AvailabilityBody, emptyOverlay, type Overlay, overlayHash, parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import type { LiveItem } from '../../shared/schemas/items.ts'
import { readLiveItems } from '../catalogue/live-items.ts'
import { isolate } from '../releases/isolate.ts'

/** Where the admin's lists live. KV may show a value of a minute ago: read from there, changed and written back, a list could get lost. */
export const AVAILABILITY_KEY = 'live/availability.json'

export type Availability = Pick<Overlay, 'unavailable' | 'hidden'>

/** Replaces the lists that are given and keeps the others. @returns both @param now Unix milliseconds */
export async function setAvailability(env: Env, change: v.InferOutput<typeof AvailabilityBody>, now: number): Promise<Availability> {
  const before = await readAvailability(env)
  const availability = { unavailable: change.unavailable ?? before.unavailable, hidden: change.hidden ?? before.hidden }
  await env.EVENTS.put(AVAILABILITY_KEY, JSON.stringify(availability))
  await writeOverlay(env, { ...availability, items: await readLiveItems(env) }, now)
  return availability
}

/** Replaces what changed in the catalogue. @param now Unix milliseconds */
export const setLiveItems = async (env: Env, items: LiveItem[], now: number): Promise<boolean> =>
  writeOverlay(env, { ...(await readAvailability(env)), items }, now)

/** Replaces what trends and what changed, where it differs. @returns whether anything was written: KV bills by write */
export const setTrending = async (env: Env, trending: Overlay['trending'], items: LiveItem[], now: number): Promise<boolean> =>
  writeOverlay(env, { ...(await readAvailability(env)), trending, items }, now)

async function readAvailability(env: Env): Promise<Availability> {
  const object = await env.EVENTS.get(AVAILABILITY_KEY)
  const { unavailable = [], hidden = [] } = object === null ? {} : v.parse(AvailabilityBody, await object.json())
  return { unavailable, hidden }
}

async function writeOverlay(env: Env, change: Partial<Overlay>, now: number): Promise<boolean> {
  const shown = await env.RELEASES.get(OVERLAY_KEY)
  const before = (shown === null ? null : parseOverlay(shown)) ?? emptyOverlay
  const after: Overlay = { ...before, ...change }
  const hash = await overlayHash(after)
  if (hash === (await overlayHash(before))) return false
  // A decision names the overlay it was made under; the archive is where that can be looked up.
  await env.EVENTS.put(`overlays/${hash}.json`, JSON.stringify({ ...after, at: now }))
  const text = JSON.stringify({ ...after, at: now } satisfies Overlay)
  await env.RELEASES.put(OVERLAY_KEY, text)
  // Whoever asks this isolate next need not wait for KV.
  isolate.overlay = { value: { ...after, at: now }, text, at: Date.now() }
  return true
}

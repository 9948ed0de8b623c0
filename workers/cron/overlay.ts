import * as v from 'valibot'
import { AvailabilityBody, emptyOverlay, type Overlay, parseOverlay } from '../../shared/overlay.ts'
import { canonicalJson } from '../../shared/release/hash.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'

/** Where the admin's lists live. KV may show a value of a minute ago: read from there, changed and written back, a list could get lost. */
export const AVAILABILITY_KEY = 'live/availability.json'

export type Availability = Pick<Overlay, 'unavailable' | 'hidden'>

/** Replaces the lists that are given and keeps the others. @returns both @param now Unix milliseconds */
export async function setAvailability(env: Env, change: v.InferOutput<typeof AvailabilityBody>, now: number): Promise<Availability> {
  const before = await readAvailability(env)
  const availability = { unavailable: change.unavailable ?? before.unavailable, hidden: change.hidden ?? before.hidden }
  await env.EVENTS.put(AVAILABILITY_KEY, JSON.stringify(availability))
  await writeOverlay(env, availability, now)
  return availability
}

/** Replaces what trends, where it differs. @returns whether anything was written: KV bills by write */
export const setTrending = async (env: Env, trending: Overlay['trending'], now: number): Promise<boolean> =>
  writeOverlay(env, { ...(await readAvailability(env)), trending }, now)

async function readAvailability(env: Env): Promise<Availability> {
  const object = await env.EVENTS.get(AVAILABILITY_KEY)
  const { unavailable = [], hidden = [] } = object === null ? {} : v.parse(AvailabilityBody, await object.json())
  return { unavailable, hidden }
}

async function writeOverlay(env: Env, change: Partial<Overlay>, now: number): Promise<boolean> {
  const text = await env.RELEASES.get(OVERLAY_KEY)
  const before = (text === null ? null : parseOverlay(text)) ?? emptyOverlay
  const after: Overlay = { ...before, ...change }
  if (canonicalJson(after) === canonicalJson(before)) return false
  await env.RELEASES.put(OVERLAY_KEY, JSON.stringify({ ...after, at: now } satisfies Overlay))
  return true
}

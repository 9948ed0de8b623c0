import type { InferOutput } from 'valibot'
import type { AvailabilityBody } from '../../shared/overlay.ts'
import type { ItemRecord } from '../../shared/schemas/items.ts'
import { takeOverlay } from '../releases/overlay-reader.ts'
import { within } from '../within.ts'
import type { LiveState, Taken } from './live-state.ts'
import type { Availability } from './live-store.ts'

/** An object that has not answered by then is down. It may have taken the change all the same: sent again it does no harm. */
const PATIENCE_MS = 5000

/** The deployment's one place for live state. */
export function liveState(env: Env): DurableObjectStub<LiveState> {
  const namespace = env.LIVE_STATE as DurableObjectNamespace<LiveState>
  return namespace.get(namespace.idFromName(env.SITE))
}

/** @param now Unix milliseconds @returns how many changed items are live @throws when the changes were not taken */
export const changeItems = async (env: Env, changes: readonly ItemRecord[], now: number): Promise<number> =>
  (await shown(liveState(env).change(changes, now))).live

/** Replaces the lists that are given and keeps the others. @returns both @throws when they were not taken */
export const setAvailability = (env: Env, change: InferOutput<typeof AvailabilityBody>): Promise<Availability> =>
  shown(liveState(env).setAvailability(change))

/** Whoever asks this isolate next need not wait for KV. */
async function shown<T extends Taken>(change: Promise<T>): Promise<T> {
  const taken = await within(PATIENCE_MS, change)
  if (taken.overlay !== null) takeOverlay(taken.overlay)
  return taken
}

import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { currentRelease } from '../releases/current.ts'
import { enforceRetention } from './retention.ts'
import { refreshTrending } from './trending.ts'

/** A night a day, and half a day of patience. */
export const STALE_AFTER_MS = 36 * 3_600_000

/** Every five minutes: is the release fresh, what is being taken right now, and what has had its time? @param now Unix milliseconds */
export async function runCron(env: Env, ctx: Background, now: number): Promise<void> {
  const results = await Promise.allSettled([checkFreshness(env, ctx, now), refreshTrending(env, ctx, now), enforceRetention(env, now)])
  for (const result of results) if (result.status === 'rejected') warn('cron-part-failed', result.reason)
}

async function checkFreshness(env: Env, ctx: Background, now: number): Promise<void> {
  const current = await currentRelease(env, ctx)
  if (current === null) console.warn(JSON.stringify({ event: 'no-release' }))
  else if (now - 1000 * current.loaded.manifest.now > STALE_AFTER_MS) {
    console.warn(JSON.stringify({ event: 'release-stale', release: current.loaded.release, newestEvent: current.loaded.manifest.now }))
  }
}

import { emptyOverlay, type Overlay, parseOverlay } from '../../shared/overlay.ts'
import { canonicalJson } from '../../shared/release/hash.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import type { Background } from '../background.ts'
import { eventLogs } from '../objects/event-log-client.ts'
import { currentRelease } from '../releases/current.ts'
import { mergeTrends, type Trends } from './trends.ts'

const TREND_HOURS = 6
const MIN_VISITORS = 3
const MOST_ITEMS = 40
/** A night a day, and half a day of patience. */
export const STALE_AFTER_MS = 36 * 3_600_000

/** Every five minutes: is the release fresh, and what is being taken right now? */
export async function runCron(env: Env, ctx: Background, now: number): Promise<void> {
  const results = await Promise.allSettled([checkFreshness(env, ctx, now), refreshTrending(env, now)])
  for (const result of results)
    if (result.status === 'rejected') console.warn(JSON.stringify({ event: 'cron-part-failed', error: String(result.reason) }))
}

async function checkFreshness(env: Env, ctx: Background, now: number): Promise<void> {
  const current = await currentRelease(env, ctx)
  if (current === null) console.warn(JSON.stringify({ event: 'no-release' }))
  else if (now - 1000 * current.loaded.manifest.now > STALE_AFTER_MS) {
    console.warn(JSON.stringify({ event: 'release-stale', release: current.loaded.release, newestEvent: current.loaded.manifest.now }))
  }
}

/** Flushes the log and rewrites the overlay when what trends has changed; KV bills by write. */
async function refreshTrending(env: Env, now: number): Promise<void> {
  const parts = await Promise.all(
    eventLogs(env).map(async (log) => {
      // A failing archive must not keep trends from being read; the events stay in the log.
      await log.flush().catch(() => 0)
      return (await log.trends(TREND_HOURS, now)) as Trends
    }),
  )
  const text = await env.RELEASES.get(OVERLAY_KEY)
  const before = (text === null ? null : parseOverlay(text)) ?? emptyOverlay
  const trending = topItems(mergeTrends(parts))
  if (canonicalJson(trending) === canonicalJson(before.trending)) return
  await env.RELEASES.put(OVERLAY_KEY, JSON.stringify({ ...before, at: now, trending } satisfies Overlay))
}

/** Items by distinct visitors, relative to the region's first; fewer than three visitors are nobody's business. */
export function topItems(trends: Trends): Overlay['trending'] {
  const top: Overlay['trending'] = {}
  for (const [region, items] of Object.entries(trends)) {
    const counted = Object.entries(items)
      .map(([item, marks]) => ({ item, visitors: marks.length }))
      .filter(({ visitors }) => visitors >= MIN_VISITORS)
      .sort((a, b) => b.visitors - a.visitors || (a.item < b.item ? -1 : 1))
      .slice(0, MOST_ITEMS)
    if (counted.length > 0)
      top[region] = counted.map(({ item, visitors }) => ({ item, score: Math.round((100 * visitors) / counted[0].visitors) / 100 }))
  }
  return top
}

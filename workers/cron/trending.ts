import type { Overlay } from '../../shared/overlay.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { eventLogs } from '../objects/event-log-client.ts'
import { liveState } from '../objects/live-state-client.ts'
import { currentRelease } from '../releases/current.ts'
import { distinctCount } from './sketch.ts'
import { mergeTrends, type Trends, topOf } from './trends.ts'

const TREND_HOURS = 6
/** What fewer visitors than this take is nobody's business, and no trend. */
const MIN_VISITORS = 3
const SHOWN_ITEMS = 40

/** Flushes every shard of the log, and rewrites what trends when it has changed. A shard that fails is left out. @param now Unix milliseconds */
export async function refreshTrending(env: Env, ctx: Background, now: number): Promise<void> {
  const parts = await Promise.all(
    eventLogs(env).map(async (log): Promise<Trends> => {
      try {
        // A failing archive must not keep trends from being read; the events stay in the log.
        await log.flush().catch((error: unknown) => warn('flush-failed', error))
        return await log.trends(TREND_HOURS, now)
      } catch (error) {
        warn('trends-unreadable', error)
        return new Map()
      }
    }),
  )
  const current = await currentRelease(env, ctx)
  const catalogueAt = current?.previous === false ? current.loaded.manifest.lineage.catalogueAt : undefined
  await liveState(env).refresh(topItems(mergeTrends(parts)), catalogueAt ?? null, now)
}

/** Per region the items most visitors took, with scores relative to the first. */
export function topItems(trends: Trends): Overlay['trending'] {
  const top: Overlay['trending'] = {}
  for (const region of [...trends.keys()].sort()) {
    const counted = topOf(trends.get(region) ?? new Map(), SHOWN_ITEMS)
      .map(([item, sketch]) => ({ item, visitors: distinctCount(sketch) }))
      .filter(({ visitors }) => visitors >= MIN_VISITORS)
    if (counted.length > 0)
      top[region] = counted.map(({ item, visitors }) => ({ item, score: Math.round((100 * visitors) / counted[0].visitors) / 100 }))
  }
  return top
}

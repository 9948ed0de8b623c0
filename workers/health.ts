import { Hono } from 'hono'
import { STALE_AFTER_MS } from './cron/scheduled.ts'
import { currentRelease } from './releases/current.ts'
import { counters } from './scoring/scorer.ts'

export const healthRoutes = new Hono<{ Bindings: Env }>()

const NO_STORE = { 'cache-control': 'no-store' }

healthRoutes.get('/healthz', (c) => c.json({ status: 'ok' }, 200, NO_STORE))

/** Ready = a release can be read. Says which, how old its newest event is, and whether that is too old. */
healthRoutes.get('/readyz', async (c) => {
  const current = await currentRelease(c.env, c.executionCtx)
  if (current === null) return c.json({ status: 'no release', advice: 'run a night: npx nightjar nightly' }, 503, NO_STORE)
  const ageMs = Date.now() - 1000 * current.loaded.manifest.now
  const status = current.previous ? 'previous release' : ageMs > STALE_AFTER_MS ? 'stale' : 'ready'
  return c.json(
    {
      status,
      release: current.loaded.release,
      items: current.loaded.core.items,
      ageHours: Math.round(ageMs / 360_000) / 10,
      ...counters,
    },
    200,
    NO_STORE,
  )
})

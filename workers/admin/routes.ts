import { Hono } from 'hono'
import { AvailabilityBody } from '../../shared/overlay.ts'
import { setAvailability } from '../cron/overlay.ts'
import { requireAdmin } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { HttpProblem, validate } from '../http/problem.ts'
import { eventLogs } from '../objects/event-log-client.ts'

export const adminRoutes = new Hono<{ Bindings: Env }>()

/** Writes every event that still waits to the archive; the night asks for it before it reads. */
adminRoutes.post('/v1/admin/flush', async (c) => {
  await requireAdmin(c)
  const flushed = await Promise.allSettled(eventLogs(c.env).map((log) => log.flush()))
  const failed = flushed.filter(({ status }) => status === 'rejected').length
  if (failed > 0)
    throw new HttpProblem(
      503,
      `${failed} of ${flushed.length} shards could not write to the archive; their events stay and are tried again`,
    )
  return c.json({ posts: flushed.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0), 0) })
})

/** Replaces what is out of stock and what must not be shown, without waiting for a night. */
adminRoutes.put('/v1/admin/overlay', async (c) => {
  await requireAdmin(c)
  const { unavailable, hidden } = await setAvailability(c.env, validate(AvailabilityBody, await jsonBody(c)), Date.now())
  return c.json({ unavailable: unavailable.length, hidden: hidden.length })
})

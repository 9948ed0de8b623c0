import { Hono } from 'hono'
import { AvailabilityBody } from '../../shared/overlay.ts'
import { type ForgetAnswer, ForgetBody } from '../../shared/schemas/visitors.ts'
import { requireAdmin } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { orProblem } from '../http/or-problem.ts'
import { HttpProblem, validate } from '../http/problem.ts'
import { identify } from '../identity/identify.ts'
import { auditLog, noteDeed } from '../objects/audit-log-client.ts'
import { eventLogs } from '../objects/event-log-client.ts'
import { liveState, setAvailability } from '../objects/live-state-client.ts'
import { eraseEverywhere } from '../visitors/erasure.ts'

export const adminRoutes = new Hono<{ Bindings: Env }>()

/** Writes every event, and every change of the catalogue, that still waits to the archive; the night asks for it before it reads. */
adminRoutes.post('/v1/admin/flush', async (c) => {
  const { name } = await requireAdmin(c, 'operations')
  const [catalogue, ...flushed] = await Promise.allSettled([liveState(c.env).flush(), ...eventLogs(c.env).map((log) => log.flush())])
  const failed = flushed.filter(({ status }) => status === 'rejected').length
  if (failed > 0)
    throw new HttpProblem(
      503,
      `${failed} of ${flushed.length} shards could not write to the archive; their events stay and are tried again`,
    )
  if (catalogue.status === 'rejected')
    throw new HttpProblem(503, 'changes of the catalogue could not be written to the archive; they stay and are tried again')
  const posts = flushed.reduce((sum, result) => sum + (result.status === 'fulfilled' ? result.value : 0), 0)
  await noteDeed(c.env, name, { flushed: posts }, Date.now())
  return c.json({ posts })
})

/** Replaces what is out of stock and what must not be shown, without waiting for a night. */
adminRoutes.put('/v1/admin/overlay', async (c) => {
  const { name } = await requireAdmin(c, 'catalogue')
  const said = validate(AvailabilityBody, await jsonBody(c.req.raw))
  const { unavailable, hidden } = await orProblem(() => setAvailability(c.env, said), 'the overlay')
  const counts = { unavailable: unavailable.length, hidden: hidden.length }
  await noteDeed(c.env, name, counts, Date.now())
  return c.json(counts)
})

/** Erases visitors whom the site names, such as customers who left. One that failed stops the rest: asking again does no harm. */
adminRoutes.post('/v1/admin/forget', async (c) => {
  const { name } = await requireAdmin(c, 'visitors')
  const { visitors } = validate(ForgetBody, await jsonBody(c.req.raw))
  const results: ForgetAnswer['results'] = []
  for (const visitor of visitors) {
    const identity = await identify(c.env, c.req.raw, visitor)
    if (identity === null) results.push({ status: 'rejected', detail: 'no id of this deployment: give v1.… or user:<own id>' })
    else
      results.push({
        status: 'erased',
        receipt: await orProblem(() => eraseEverywhere(c.env, identity, `admin:${name}`, Date.now())),
      })
  }
  return c.json({ results } satisfies ForgetAnswer)
})

/** Where the audit log ends, and where its copy in the archive does: what checks the copy has to know. */
adminRoutes.get('/v1/admin/audit', async (c) => {
  await requireAdmin(c, 'audit')
  return c.json(await orProblem(async () => auditLog(c.env).ends(), 'the audit log'))
})

import { Hono } from 'hono'
import * as v from 'valibot'
import { emptyOverlay, parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { ItemId } from '../../shared/schemas/ids.ts'
import { requireAdmin } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { validate } from '../http/problem.ts'
import { eventLogs } from '../objects/event-log-client.ts'

export const adminRoutes = new Hono<{ Bindings: Env }>()

const itemList = v.pipe(v.array(ItemId, 'must be a list of item ids'), v.maxLength(2000, 'takes at most 2000 ids'))
const AvailabilityBody = v.strictObject({ unavailable: v.optional(itemList), hidden: v.optional(itemList) })

/** Writes every event that still waits to the archive; the night asks for it before it reads. */
adminRoutes.post('/v1/admin/flush', async (c) => {
  await requireAdmin(c)
  const posts = await Promise.all(eventLogs(c.env).map((log) => log.flush()))
  return c.json({ posts: posts.reduce((sum, count) => sum + count, 0) })
})

/** Replaces what is out of stock and what must not be shown, without waiting for a night. */
adminRoutes.put('/v1/admin/availability', async (c) => {
  await requireAdmin(c)
  const body = validate(AvailabilityBody, await jsonBody(c))
  const text = await c.env.RELEASES.get(OVERLAY_KEY)
  const before = (text === null ? null : parseOverlay(text)) ?? emptyOverlay
  const overlay = { ...before, at: Date.now(), unavailable: body.unavailable ?? before.unavailable, hidden: body.hidden ?? before.hidden }
  await c.env.RELEASES.put(OVERLAY_KEY, JSON.stringify(overlay))
  return c.json({ unavailable: overlay.unavailable.length, hidden: overlay.hidden.length })
})

import { Hono } from 'hono'
import * as v from 'valibot'
import { ItemId } from '../../shared/schemas/ids.ts'
import { type ItemRecord, ItemSchema, type ItemsAnswer, ItemsBody } from '../../shared/schemas/items.ts'
import { requireAdmin } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { firstIssue, HttpProblem, validate } from '../http/problem.ts'
import { applyChanges } from './apply-changes.ts'

export const catalogueRoutes = new Hono<{ Bindings: Env }>()

const MAX_ITEMS_BODY = 1024 * 1024

/** Adds, changes and removes items; what was accepted is durable, and live once KV shows the overlay. */
catalogueRoutes.put('/v1/items', async (c) => {
  const { name } = await requireAdmin(c, 'catalogue')
  const body = validate(ItemsBody, await jsonBody(c.req.raw, MAX_ITEMS_BODY))
  if (body.items.length + body.remove.length === 0) throw new HttpProblem(400, 'items or remove needs at least 1', 'items')
  const received = Date.now()
  const changes: ItemRecord[] = []
  const rejected: ItemsAnswer['rejected'] = []
  body.items.forEach((value, index) => {
    const parsed = v.safeParse(ItemSchema, value)
    if (parsed.success) {
      const { id, ...fields } = parsed.output
      changes.push({ v: 1, type: 'item_upsert', received, item: id, fields })
    } else rejected.push({ index, id: idOf(value), ...firstIssue(parsed.issues[0], `items[${index}]`) })
  })
  for (const item of body.remove) changes.push({ v: 1, type: 'item_remove', received, item })
  const live = await applyChanges(c.env, name, changes, received)
  return c.json({ accepted: changes.length, rejected, live } satisfies ItemsAnswer)
})

/** Takes an item out of the catalogue. */
catalogueRoutes.delete('/v1/items/:id', async (c) => {
  const { name } = await requireAdmin(c, 'catalogue')
  const item = validate(ItemId, c.req.param('id'), 'id')
  const received = Date.now()
  const live = await applyChanges(c.env, name, [{ v: 1, type: 'item_remove', received, item }], received)
  return c.json({ accepted: 1, rejected: [], live } satisfies ItemsAnswer)
})

const idOf = (value: unknown): string | null =>
  value !== null && typeof value === 'object' && 'id' in value && typeof value.id === 'string' ? value.id.slice(0, 200) : null

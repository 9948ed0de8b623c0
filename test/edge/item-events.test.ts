import { reset, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { adminClaims, type Scope } from '../../shared/admin-token.ts'
import { type AuditEntry, verifyChain } from '../../shared/audit.ts'
import { replayed } from '../../shared/quarantine.ts'
import type { RejectedRecord } from '../../shared/schemas/events.ts'
import type { ItemRecord } from '../../shared/schemas/items.ts'
import { auditLog } from '../../workers/objects/audit-log-client.ts'
import { accepted, bearer, call, click, eventId, failingNamespace, flushed, from, mint, postEvents } from './events-client.ts'
import { cold, shownOverlay } from './fixtures/edge.ts'

// Another file's release may still be in the isolate.
beforeEach(() => {
  cold()
  return reset()
})
afterEach(() => {
  vi.restoreAllMocks()
  return reset()
})

const upsert = (item: string, fields: object, more: object = {}): { id: string; type: string; item: string } => ({
  id: eventId(),
  type: 'item_upsert',
  item,
  ...{ fields },
  ...more,
})
const removal = (item: string): object => ({ id: eventId(), type: 'item_remove', item })
const token = (...scopes: Scope[]): Promise<string> =>
  sign(adminClaims(env.SITE, 'newsroom', scopes, Math.floor(Date.now() / 1000) + 3600), env.ADMIN_KEY, 'HS256')

async function lines<T>(prefix: string): Promise<T[]> {
  const { objects } = await env.EVENTS.list({ prefix })
  const texts = await Promise.all(objects.map(async ({ key }) => (await env.EVENTS.get(key))?.text() ?? ''))
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line) as T)
}

describe('items as events', () => {
  test('of a backend are in the log for the night and live at once, and no line of the event archive', async () => {
    const sent = [upsert('story-1', { title: 'Bridge reopens' }), upsert('story-2', { title: 'Rain' }), removal('story-2')]
    const answer = await accepted({ events: sent }, bearer(await token('catalogue')))
    expect(answer.results.map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted'])
    expect((await lines<ItemRecord>('items/')).map(({ type, item }) => [type, item])).toEqual([
      ['item_upsert', 'story-1'],
      ['item_upsert', 'story-2'],
      ['item_remove', 'story-2'],
    ])
    expect(((await shownOverlay())?.items ?? []).map(({ item, removed }) => [item, removed])).toEqual([
      ['story-2', true],
      ['story-1', false],
    ])
    expect(await flushed()).toEqual([])
  })

  test('stand beside what visitors did, each under the scope it needs', async () => {
    const events = [upsert('story-1', { title: 'Bridge' }), click('a')]
    const both = await accepted({ visitor: 'user:anna', consent: 'granted', events }, bearer(env.ADMIN_KEY))
    expect(both.results.map(({ status }) => status)).toEqual(['accepted', 'accepted'])
    const half = await accepted({ events: [upsert('story-2', {}), click('b')] }, bearer(await token('events')))
    expect(half.results).toMatchObject([{ status: 'rejected', field: 'events[0].type' }, { status: 'accepted' }])
    // A click needs the write key, or another scope than that of the catalogue.
    expect((await postEvents({ events: [upsert('story-3', {}), click('c')] }, bearer(await token('catalogue')))).status).toBe(403)
    expect(((await shownOverlay())?.items ?? []).map(({ item }) => item)).toEqual(['story-1'])
    expect((await flushed()).flatMap((line) => ('item' in line ? [line.item] : [])).sort()).toEqual(['a', 'b'])
  })

  test.each([
    ['the public write key', () => ({})],
    ['a visitor’s own id', async () => bearer(await mint())],
    ['a token of another scope', async () => bearer(await token('events', 'visitors', 'operations', 'audit'))],
  ])('with %s change nothing, are not kept, and spoil no other event', async (_, init) => {
    const bad = upsert('story-1', { title: 'Ours now' }, { v: 2 })
    const answer = await accepted(
      from(await mint(), [upsert('story-1', { title: 'Ours now' }), removal('a'), bad, click('a')]),
      await init(),
    )
    expect(answer.results).toMatchObject([
      { status: 'rejected', detail: expect.stringContaining('scope "catalogue"') },
      { status: 'rejected', field: 'events[1].type' },
      { status: 'rejected', field: 'events[2].type' },
      { status: 'accepted' },
    ])
    expect(await flushed()).toHaveLength(1)
    for (const prefix of ['items/', 'live/', 'quarantine/']) expect((await env.EVENTS.list({ prefix })).objects).toEqual([])
  })

  test('that do not fit wait in quarantine, and only what a backend sent ever changes the catalogue', async () => {
    const bad = [upsert('story-1', { title: 7 }), upsert('story-2', { colour: 'red' }), upsert('story-3', { title: 'Tomorrow' }, { v: 2 })]
    const { results } = await accepted({ events: bad }, bearer(env.ADMIN_KEY))
    expect(results).toMatchObject([{ field: 'events[0].fields.title' }, { field: 'events[1].fields.colour' }, { field: 'events[2].v' }])
    await flushed()
    const kept = await lines<RejectedRecord>('quarantine/')
    expect(kept.map(({ catalogue }) => catalogue)).toEqual([true, true, true])
    const mended = (record: RejectedRecord): RejectedRecord => ({ ...record, event: (record.event ?? '').replace('"v":2', '"v":1') })
    const [, , tomorrow] = kept as [RejectedRecord, RejectedRecord, RejectedRecord]
    expect(replayed(tomorrow)).toBeNull()
    expect(replayed(mended(tomorrow))?.changes).toMatchObject([{ type: 'item_upsert', item: 'story-3', fields: { title: 'Tomorrow' } }])
    const { catalogue: _, ...strangers } = mended(tomorrow)
    expect(replayed(strangers)).toBeNull()
  })

  test('are not acknowledged while the catalogue cannot take them, nor is anything beside them', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const broken = { ...env, LIVE_STATE: failingNamespace(env.LIVE_STATE) }
    const body = { events: [upsert('story-1', { title: 'Bridge' }), click('a')] }
    const response = await postEvents(body, bearer(env.ADMIN_KEY), broken)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(10)
    expect(await flushed()).toEqual([])
  })
})

test('changes of the catalogue are on record, as counts under the admin’s name, however they came', async () => {
  await accepted({ events: [upsert('a', { title: 'A' }), upsert('b', {}), removal('c')] }, bearer(await token('catalogue')))
  await call('/v1/items', { method: 'PUT', body: '{"items":[{"id":"a"},{"id":7}],"remove":["b"]}', ...bearer(env.ADMIN_KEY) })
  await call('/v1/items/a', { method: 'DELETE', ...bearer(env.ADMIN_KEY) })
  // Nothing was changed: nothing to tell.
  await call('/v1/items', { method: 'PUT', body: '{"items":[{"id":7}]}', ...bearer(env.ADMIN_KEY) })
  await runDurableObjectAlarm(auditLog(env))
  const log = await lines<AuditEntry>('audit/edge/')
  expect(log.map(({ action, actor, detail }) => [action, actor, detail])).toEqual([
    ['admin', 'admin:newsroom', { upserted: 2, removed: 1 }],
    ['admin', 'admin:key', { upserted: 1, removed: 1 }],
    ['admin', 'admin:key', { upserted: 0, removed: 1 }],
  ])
  expect((await verifyChain(log)).fault).toBeNull()
})

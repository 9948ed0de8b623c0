import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import type { ItemRecord, ItemsAnswer, LiveItem } from '../../shared/schemas/items.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { MOST_LIVE } from '../../workers/catalogue/live-items.ts'
import { runCron } from '../../workers/cron/scheduled.ts'
import { ask, click, cold, GB, idsOf, newVisitor, publish, recommendations, shownOverlay } from './fixtures/edge.ts'
import { buildTinyRelease, GROUP, type TinyRelease } from './fixtures/tiny-release.ts'

const HOUR_MS = 3_600_000
/** Like item 1 of the tiny release, which is in the garden group. */
const NEWS = { id: 'news-1', title: 'Title of news', category: 'Garden', price: 6, tags: ['spring'] }

let release: TinyRelease
beforeEach(async () => {
  release = await buildTinyRelease()
  await publish(release)
})
afterEach(() => {
  vi.useRealTimers()
})

const send = (method: string, path: string, body?: unknown, key = env.ADMIN_KEY): Promise<Response> =>
  ask(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }), headers: { authorization: `Bearer ${key}` } })

async function put(items: unknown[], remove: string[] = []): Promise<ItemsAnswer> {
  const response = await send('PUT', '/v1/items', { items, remove })
  if (response.status !== 200) throw new Error(`status ${response.status}: ${await response.text()}`)
  return response.json()
}
const get = async (path: string): Promise<RecommendationAnswer> => (await ask(path, { cf: GB })).json()
const liveItems = async (): Promise<LiveItem[]> => (await shownOverlay())?.items ?? []
const item = (index: number): string => release.itemIds[index] ?? ''

describe('a new item', () => {
  test('is there without a night, with what it is like, in every isolate', async () => {
    expect(await put([NEWS])).toEqual({ accepted: 1, rejected: [], live: 1 })
    for (const start of [() => undefined, cold]) {
      start()
      const latest = await get('/v1/latest?limit=3')
      expect(latest.items[0]).toMatchObject({
        id: 'news-1',
        source: 'new',
        reasons: [{ code: 'new' }],
        values: { title: NEWS.title, tags: ['spring'] },
      })
      const similar = await get('/v1/items/news-1/similar?limit=10')
      expect(similar.items.length).toBeGreaterThan(3)
      expect(similar.items.every(({ values }) => values.category === 'Garden')).toBe(true)
    }
  })

  test('stands in the rows of what it is like, and is shown to whom it suits', async () => {
    await put([NEWS])
    const [like] = (await liveItems())[0]?.like ?? []
    expect(idsOf(await get(`/v1/items/${encodeURIComponent(like?.item ?? '')}/similar?limit=20`))).toContain('news-1')
    const visitor = await newVisitor()
    await click(visitor, item(1), item(2))
    const home = await recommendations({ visitor, consent: 'granted', limit: 20 })
    expect(home.items.find(({ id }) => id === 'news-1')).toBeDefined()
    expect(home.rung).toMatch(/onnx|reference/)
  })

  test('of another kind is not like them', async () => {
    await put([{ ...NEWS, id: 'news-2', category: 'Books', price: 58 }])
    const similar = await get('/v1/items/news-2/similar?limit=10')
    expect(similar.items.every(({ values }) => values.category === 'Books')).toBe(true)
  })

  test('can be clicked, filtered by, and is known by the token', async () => {
    await put([{ ...NEWS, category: 'Politics', price: 3 }])
    expect(idsOf(await get('/v1/latest?filter.category=Politics'))).toEqual(['news-1'])
    expect(idsOf(await get('/v1/recommendations?scenario=popular&filter.maxPrice=4'))).toEqual(['news-1'])
    const visitor = await newVisitor()
    const token = await click(visitor, 'news-1')
    const seen = await recommendations({ visitor, token, consent: 'granted', scenario: 'recently-viewed' })
    expect(idsOf(seen)).toEqual(['news-1'])
  })

  test('without anything in common with others is still the latest', async () => {
    await put([{ id: 'alone', title: 'Qwxz' }])
    expect(idsOf(await get('/v1/latest?limit=1'))).toEqual(['alone'])
    expect((await get('/v1/items/alone/similar')).items.length).toBeGreaterThan(0)
  })
})

describe('a known item', () => {
  test('out of stock goes at once, and comes back', async () => {
    const listed = idsOf(await get('/v1/lists/GB/popular'))
    const [gone] = listed
    await put([{ id: gone, available: false }])
    expect(idsOf(await get('/v1/lists/GB/popular'))).not.toContain(gone)
    expect(idsOf(await get(`/v1/recommendations?scenario=popular&limit=100&filter.available=false`))).toContain(gone)
    await put([{ id: gone, available: true }])
    expect(idsOf(await get('/v1/lists/GB/popular'))).toEqual(listed)
  })

  test('keeps what is not said anew, and shows what is', async () => {
    await put([{ id: item(0), price: 1.5 }])
    await put([{ id: item(0), tags: ['sale'] }])
    const { items } = await get('/v1/recommendations?scenario=popular&limit=1&filter.maxPrice=2')
    expect(items[0]).toMatchObject({ id: item(0), values: { title: `Title of ${item(0)}`, price: 1.5, tags: ['sale'] } })
  })

  test('that is removed is never shown, by either way, until it is put again', async () => {
    const everything = '/v1/recommendations?scenario=popular&limit=100&filter.available=false'
    await put([NEWS], [item(0)])
    expect((await send('DELETE', `/v1/items/${encodeURIComponent(item(3))}`)).status).toBe(200)
    expect((await send('DELETE', '/v1/items/news-1')).status).toBe(200)
    const left = idsOf(await get(everything))
    for (const removed of [item(0), item(3), 'news-1']) expect(left).not.toContain(removed)
    await put([{ id: item(0) }])
    expect(idsOf(await get(everything))).toContain(item(0))
  })
})

test('a window opens and closes by the clock, without anyone writing anything', async () => {
  const now = Date.UTC(2026, 10, 25, 9)
  vi.useFakeTimers({ toFake: ['Date'], now })
  await put([
    { ...NEWS, from: new Date(now + HOUR_MS).toISOString(), until: now + 2 * HOUR_MS },
    { id: item(0), until: now + HOUR_MS },
  ])
  const shown = async (id: string): Promise<boolean> => idsOf(await get('/v1/recommendations?scenario=popular&limit=100')).includes(id)
  expect([await shown('news-1'), await shown(item(0))]).toEqual([false, true])
  vi.setSystemTime(now + HOUR_MS)
  expect([await shown('news-1'), await shown(item(0))]).toEqual([true, false])
  vi.setSystemTime(now + 2 * HOUR_MS)
  expect(await shown('news-1')).toBe(false)
})

describe('what is kept', () => {
  test('every change is in the log of the catalogue, and every overlay in the archive', async () => {
    await put([NEWS, { id: 'bad', price: 'dear' }], [item(0)])
    const { objects } = await env.EVENTS.list({ prefix: 'items/' })
    const text = await (await env.EVENTS.get(objects[0]?.key ?? ''))?.text()
    const lines = (text ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as ItemRecord)
    expect(lines).toMatchObject([
      { v: 1, type: 'item_upsert', item: 'news-1', fields: { title: NEWS.title } },
      { v: 1, type: 'item_remove', item: item(0) },
    ])
    const overlay = parseOverlay((await env.RELEASES.get(OVERLAY_KEY)) ?? '')
    expect(overlay?.items.map((one) => one.item).sort()).toEqual([item(0), 'news-1'])
    const archived = await env.EVENTS.list({ prefix: 'overlays/' })
    expect(archived.objects).toHaveLength(1)
  })

  test('two at once lose nothing of each other', async () => {
    await Promise.all(Array.from({ length: 4 }, (_, i) => put([{ id: `at-once-${i}`, title: 'Garden' }])))
    expect((await liveItems()).map((one) => one.item).sort()).toEqual(['at-once-0', 'at-once-1', 'at-once-2', 'at-once-3'])
  })

  test('what must not be shown outlives a flood of changes; what is over the bound waits for the night', async () => {
    await put([{ id: item(0), available: false }, NEWS])
    const { live } = await put(Array.from({ length: 999 }, (_, i) => ({ id: `flood-${i}`, title: 'Flood' })))
    expect(live).toBe(MOST_LIVE)
    const kept = (await liveItems()).map((one) => one.item)
    expect(kept).toContain(item(0))
    expect(kept).toHaveLength(MOST_LIVE)
  })

  test('the cron drops what the live release has taken in, and keeps the rest', async () => {
    const now = Date.UTC(2026, 10, 25, 9)
    vi.useFakeTimers({ toFake: ['Date'], now })
    await put([
      { id: item(0), price: 2 },
      { id: item(1), until: now + 48 * HOUR_MS },
    ])
    vi.setSystemTime(now + HOUR_MS)
    await put([NEWS])
    const taken = await buildTinyRelease({ change: (m) => ({ ...m, lineage: { ...m.lineage, catalogueAt: now + 10 * 60_000 } }) })
    for (const [key, value] of taken.entries) await env.RELEASES.put(key, value as string)
    cold()
    const ctx = { waitUntil: () => undefined }
    await runCron(env, ctx, now + HOUR_MS)
    expect((await liveItems()).map((one) => one.item).sort()).toEqual([item(1), 'news-1'])
    expect(parseOverlay((await env.RELEASES.get(OVERLAY_KEY)) ?? '')?.items).toHaveLength(2)
  })
})

describe('what is refused', () => {
  test.each([
    [{ id: 'a', price: 'dear' }, 'items[0].price'],
    [{ id: '' }, 'items[0].id'],
    [{ title: 'no id' }, 'items[0].id'],
    [{ id: 'a', from: 'tomorrow' }, 'items[0].from'],
    [{ id: 'a', colour: 'red' }, 'items[0].colour'],
    ['a', 'items[0]'],
  ])('%j, and no other item with it', async (bad, field) => {
    const answer = await put([bad, NEWS])
    expect(answer).toMatchObject({ accepted: 1, live: 1, rejected: [{ index: 0, field }] })
  })

  test('without the admin key, without anything, or more than 1 MB', async () => {
    expect((await send('PUT', '/v1/items', { items: [NEWS] }, 'guess')).status).toBe(401)
    expect((await send('DELETE', '/v1/items/a', undefined, 'guess')).status).toBe(401)
    expect((await send('PUT', '/v1/items', {})).status).toBe(400)
    expect((await send('PUT', '/v1/items', { items: ['x'.repeat(1_100_000)] })).status).toBe(413)
    expect((await ask('/v1/latest?scenario=home')).status).toBe(400)
    expect(await env.RELEASES.get(OVERLAY_KEY)).toBeNull()
  })
})

test('/v1/latest is the same for everyone, by age, and says so to caches', async () => {
  const response = await ask('/v1/latest?limit=4')
  const etag = response.headers.get('etag') ?? ''
  expect(response.headers.get('cache-control')).toContain('public')
  expect(idsOf(await response.json())).toEqual([0, 1, 2, 3].map((group) => item(group * GROUP + GROUP - 1)))
  expect((await ask('/v1/latest?limit=4', { headers: { 'if-none-match': etag } })).status).toBe(304)
  await put([NEWS])
  expect((await ask('/v1/latest?limit=4', { headers: { 'if-none-match': etag } })).status).toBe(200)
})

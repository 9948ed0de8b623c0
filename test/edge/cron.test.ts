import { createExecutionContext, createScheduledController, reset, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { type Overlay, parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { runCron } from '../../workers/cron/scheduled.ts'
import { distinctCount, markOf, mergeSketches, SKETCH_MARKS, type Sketch } from '../../workers/cron/sketch.ts'
import { MOST_ITEMS } from '../../workers/cron/trends.ts'
import worker from '../../workers/index.ts'
import { eventLogs } from '../../workers/objects/event-log-client.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, archive, bearer, call, click, eventId, failingNamespace, from, mint, problemOf, waiting } from './events-client.ts'
import { shownOverlay } from './fixtures/edge.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

const HOUR_MS = 3_600_000

let warnings: MockInstance<typeof console.warn>

beforeEach(() => {
  coldStart()
  warnings = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

const warned = (): string[] => warnings.mock.calls.map(([text]) => (JSON.parse(String(text)) as { event: string }).event)

const overlay = async (): Promise<Overlay | null> => {
  const text = await env.RELEASES.get(OVERLAY_KEY)
  return text === null ? null : parseOverlay(text)
}

async function cron(now = Date.now(), bindings: Env = env): Promise<void> {
  const ctx = createExecutionContext()
  await runCron(bindings, ctx, now)
  await waitOnExecutionContext(ctx)
}

const visit = async (items: string[], country = 'GB'): Promise<void> => {
  await accepted(
    from(
      await mint(),
      items.map((item) => click(item)),
    ),
    { cf: { country } as CfProperties },
  )
}

describe('sketches', () => {
  const visitors = (count: number, first = 0): string[] => Array.from({ length: count }, (_, i) => `visitor-${first + i}`)
  const sketchOf = (names: string[]): Sketch => names.reduce<Sketch>((sketch, name) => mergeSketches(sketch, [markOf(name, 'item')]), [])

  test('count exactly while visitors are few, and close enough when they are many', () => {
    for (const count of [0, 1, 2, 3, 10, SKETCH_MARKS - 1]) expect(distinctCount(sketchOf(visitors(count)))).toBe(count)
    for (const count of [50, 500, 5000]) {
      const estimate = distinctCount(sketchOf(visitors(count)))
      expect(estimate).toBeGreaterThan(count * 0.5)
      expect(estimate).toBeLessThan(count * 1.7)
    }
  })

  test('of parts merge to that of the whole, in any order, any number of times', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 200 }), { maxLength: 80 }), fc.array(fc.nat({ max: 200 }), { maxLength: 80 }), (a, b) => {
        const [x, y] = [a, b].map((part) => sketchOf(part.map((n) => `v${n}`)))
        const whole = sketchOf([...a, ...b].map((n) => `v${n}`))
        expect(mergeSketches(x, y)).toEqual(whole)
        expect(mergeSketches(y, x)).toEqual(whole)
        expect(mergeSketches(whole, x)).toEqual(whole)
        expect(whole.length).toBeLessThanOrEqual(SKETCH_MARKS)
      }),
      { numRuns: 100 },
    )
  })
})

describe('trending', () => {
  test('needs three visitors; a person’s many clicks are one; countries are apart', async () => {
    for (let i = 0; i < 4; i++) await visit(['often', 'also'], 'GB')
    for (let i = 0; i < 3; i++) await visit(['french'], 'FR')
    for (let i = 0; i < 2; i++) await visit(['rare'])
    await visit(Array.from({ length: 20 }, () => 'loved by one'))
    await cron()
    expect((await overlay())?.trending).toEqual({
      '*': [
        { item: 'also', score: 1 },
        { item: 'often', score: 1 },
        { item: 'french', score: 0.75 },
      ],
      FR: [{ item: 'french', score: 1 }],
      GB: [
        { item: 'also', score: 1 },
        { item: 'often', score: 1 },
      ],
    })
    expect(await waiting()).toBe(0)
    expect((await archive()).lines).toHaveLength(4 * 2 + 3 + 2 + 20)
  })

  test('counts purchases and carts, but neither impressions nor who did not consent', async () => {
    for (let i = 0; i < 3; i++) {
      const events = [
        { id: eventId(), type: 'impression', items: ['shown'] },
        { id: eventId(), type: 'add_to_cart', item: 'carted' },
        { id: eventId(), type: 'purchase', items: [{ item: 'bought' }] },
      ]
      await accepted(from(await mint(), events))
      await accepted(from(await mint(), [click('anonymous')], { consent: 'denied' }))
    }
    await cron()
    expect((await overlay())?.trending['*'].map(({ item }) => item)).toEqual(['bought', 'carted'])
  })

  test('ids that are names of JavaScript’s own are ids like others', async () => {
    for (let i = 0; i < 3; i++) await visit(['__proto__', 'constructor'])
    await cron()
    expect((await overlay())?.trending['*'].map(({ item }) => item)).toEqual(['__proto__', 'constructor'])
  })

  test('writes to KV only when something changed', async () => {
    const put = vi.spyOn(env.RELEASES, 'put')
    await cron()
    expect(put).not.toHaveBeenCalled()
    for (let i = 0; i < 3; i++) await visit(['a'])
    await cron()
    await cron()
    expect(put).toHaveBeenCalledTimes(1)
  })

  test('passes with the hours', async () => {
    for (let i = 0; i < 3; i++) await visit(['a'])
    await cron()
    expect((await overlay())?.trending).toHaveProperty('*')
    await cron(Date.now() + 7 * HOUR_MS)
    expect((await overlay())?.trending).toEqual({})
  })

  test('stays small whatever strangers send', async () => {
    const [log] = eventLogs(env)
    const received = Date.now()
    const line = (i: number): string =>
      JSON.stringify({
        v: 1,
        id: `e${i}`,
        type: 'click',
        item: `${'\u0001'.repeat(190)}${i}`,
        at: received,
        received,
        visitor: `v${i}`,
        country: 'GB',
      })
    for (let part = 0; part < 10; part++) {
      await log.append(`${Array.from({ length: 200 }, (_, i) => line(200 * part + i)).join('\n')}\n`, received)
    }
    for (let i = 0; i < 3; i++) await log.append(`${line(3000).replace('"v3000"', `"w${i}"`)}\n`, received)
    await log.flush()
    const rows = await runInDurableObject(log, (_, { storage }) =>
      storage.sql.exec<{ size: number }>('SELECT length(items) AS size FROM trend_hours').toArray(),
    )
    expect(rows.every(({ size }) => size < 1_000_000)).toBe(true)
    const trends = await log.trends(6, received)
    expect(trends.get('*')?.size).toBe(MOST_ITEMS)
    expect([...(trends.get('*')?.keys() ?? [])][0]).toMatch(/3000$/)
  })

  test('goes on while R2 or a shard fails', async () => {
    for (let i = 0; i < 3; i++) await visit(['a'])
    await cron()
    await cron(Date.now(), { ...env, EVENT_LOGS: failingNamespace(env.EVENT_LOGS) })
    expect(warned()).toContain('trends-unreadable')
    expect(await overlay()).not.toBeNull()
  })
})

describe('the admin’s lists', () => {
  const put = (body: object, token = env.ADMIN_KEY): Promise<Response> =>
    call('/v1/admin/overlay', { method: 'PUT', body: JSON.stringify(body), ...bearer(token) })

  test('reach the overlay, keep what is not named, and outlive the cron’s writes', async () => {
    expect(await (await put({ hidden: ['a', 'b'] })).json()).toEqual({ hidden: 2, unavailable: 0 })
    await put({ unavailable: ['c'] })
    expect(await shownOverlay()).toMatchObject({ hidden: ['a', 'b'], unavailable: ['c'] })
    for (let i = 0; i < 3; i++) await visit(['d'])
    // KV may show the cron an overlay from before the admin's: what was hidden stays hidden.
    await env.RELEASES.put(OVERLAY_KEY, JSON.stringify({ v: 1, at: 0, trending: {}, unavailable: [], hidden: [] }))
    await cron()
    expect(await overlay()).toMatchObject({ hidden: ['a', 'b'], unavailable: ['c'], trending: { '*': [{ item: 'd', score: 1 }] } })
    await put({ hidden: [] })
    expect(await shownOverlay()).toMatchObject({ hidden: [], trending: { '*': [{ item: 'd', score: 1 }] } })
  })

  test('are the admin’s, and name the field that is wrong', async () => {
    expect((await put({ hidden: ['a'] }, 'guess')).status).toBe(401)
    expect(await problemOf(await put({ hidden: ['a', 5] }))).toMatchObject({ status: 400, field: 'hidden[1]' })
    expect(await problemOf(await put({ shown: [] }))).toMatchObject({ status: 400, field: 'shown' })
    expect(await overlay()).toBeNull()
  })

  test('a flush writes out every shard, says how much, and owns up when it cannot', async () => {
    for (let i = 0; i < 5; i++) await visit(['a'])
    const flush = (bindings: Env = env): Promise<Response> =>
      call('/v1/admin/flush', { method: 'POST', ...bearer(env.ADMIN_KEY) }, bindings)
    expect((await call('/v1/admin/flush', { method: 'POST' })).status).toBe(401)
    expect((await flush({ ...env, EVENT_LOGS: failingNamespace(env.EVENT_LOGS) })).status).toBe(503)
    expect(await (await flush()).json()).toEqual({ posts: 5 })
    expect(await (await flush()).json()).toEqual({ posts: 0 })
    expect((await archive()).lines).toHaveLength(5)
  })
})

describe('freshness', () => {
  test('is warned of, and shown by /readyz, when the newest event is older than 36 hours', async () => {
    const { entries, manifest, entry } = await buildTinyRelease()
    await putEntries(env.RELEASES, entries)
    const now = 1000 * manifest.now
    vi.useFakeTimers({ toFake: ['Date'], now: now + 35 * HOUR_MS })
    await cron(now + 35 * HOUR_MS)
    expect(warned()).not.toContain('release-stale')
    expect(await (await call('/readyz')).json()).toMatchObject({ status: 'ready', release: entry.release, ageHours: 35 })
    vi.setSystemTime(now + 37 * HOUR_MS)
    await cron(now + 37 * HOUR_MS)
    expect(warned()).toContain('release-stale')
    expect(await (await call('/readyz')).json()).toMatchObject({ status: 'stale', ageHours: 37 })
  })

  test('without a release the process is alive and not ready', async () => {
    await cron()
    expect(warned()).toContain('no-release')
    expect((await call('/readyz')).status).toBe(503)
    const alive = await call('/healthz')
    expect(alive.status).toBe(200)
    expect(alive.headers.get('cache-control')).toBe('no-store')
  })

  test('the Worker’s own schedule runs all of it', async () => {
    for (let i = 0; i < 3; i++) await visit(['a'])
    const ctx = createExecutionContext()
    worker.scheduled(createScheduledController({ scheduledTime: Date.now(), cron: '*/5 * * * *' }), env, ctx)
    await waitOnExecutionContext(ctx)
    expect((await overlay())?.trending).toHaveProperty('GB')
  })
})

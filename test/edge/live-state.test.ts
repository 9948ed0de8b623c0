import { reset, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import type { ItemRecord, LiveItem } from '../../shared/schemas/items.ts'
import { runCron } from '../../workers/cron/scheduled.ts'
import { liveState } from '../../workers/objects/live-state-client.ts'
import { isolate } from '../../workers/releases/isolate.ts'
import { bearer, call, failingNamespace } from './events-client.ts'
import { cold, shownOverlay } from './fixtures/edge.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

const DAY_MS = 24 * 3_600_000

let warnings: MockInstance<typeof console.warn>
beforeEach(async () => {
  await reset()
  cold()
  warnings = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

const send = (method: string, path: string, body?: object, bindings?: Env): Promise<Response> =>
  call(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }), ...bearer(env.ADMIN_KEY) }, bindings)
const put = (items: object[]): Promise<Response> => send('PUT', '/v1/items', { items })
const remove = (item: string): Promise<Response> => send('DELETE', `/v1/items/${item}`)
const cron = (): Promise<void> => runCron(env, { waitUntil: () => undefined }, Date.now())

const itemsOf = (items: readonly LiveItem[] | undefined): string[] => (items ?? []).map(({ item }) => item).sort()
const shownItems = async (): Promise<string[]> => itemsOf((await shownOverlay())?.items)
const inKv = async (): Promise<string[]> => itemsOf(parseOverlay((await env.RELEASES.get(OVERLAY_KEY)) ?? '')?.items)
const warned = (): string[] => warnings.mock.calls.map(([text]) => (JSON.parse(String(text)) as { event: string }).event)

async function logged(): Promise<string[]> {
  const { objects } = await env.EVENTS.list({ prefix: 'items/' })
  const texts = await Promise.all(objects.map(async ({ key }) => (await env.EVENTS.get(key))?.text() ?? ''))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  return lines.map((line) => (JSON.parse(line) as ItemRecord).item).sort()
}

/** The calls of the object's own bindings that write; those of which `fails` says so are refused. */
async function watch(fails: (key: string) => boolean = () => false): Promise<string[]> {
  const written: string[] = []
  const watching = <T extends object>(binding: T): T =>
    new Proxy(binding, {
      get: (target, property) => {
        const value = Reflect.get(target, property) as unknown
        if (typeof value !== 'function') return value
        return (key: string, ...more: unknown[]) => {
          if (property !== 'put') return Reflect.apply(value, target, [key, ...more]) as unknown
          if (fails(key)) return Promise.reject(new Error(`PUT ${key} failed: 429 Too Many Requests`))
          written.push(key)
          return Reflect.apply(value, target, [key, ...more]) as unknown
        }
      },
    })
  await runInDurableObject(liveState(env), (instance) => {
    Object.assign(instance, { env: { ...env, RELEASES: watching(env.RELEASES), EVENTS: watching(env.EVENTS) } })
  })
  return written
}

/** The object ends, as on a crash, and another one takes its place. */
async function crash(): Promise<void> {
  await runInDurableObject(liveState(env), (_, ctx) => ctx.abort('crashed')).catch(() => undefined)
}

describe('many who write at once', () => {
  test('are all taken and lose nothing of each other, and KV is written once a second', async () => {
    const written = await watch()
    const began = Date.now()
    const writers = Array.from({ length: 60 }, (_, i) => i)
    const answers = await Promise.all(
      writers.map((i) => (i % 3 === 0 ? remove(`item-${i}`) : put([{ id: `item-${i}`, title: 'Garden' }])).then(({ status }) => status)),
    )
    expect(answers).toEqual(writers.map(() => 200))
    const expected = writers.map((i) => `item-${i}`).sort()
    expect(itemsOf(isolate.overlay?.value.items)).toEqual(expected)
    expect(await shownItems()).toEqual(expected)
    expect(await logged()).toEqual(expected)
    const seconds = (Date.now() - began) / 1000
    expect(written.filter((key) => key === OVERLAY_KEY).length).toBeLessThanOrEqual(1 + seconds)
    expect(written.filter((key) => key.startsWith('items/')).length).toBeLessThanOrEqual(2 + seconds)
  })

  test('what is undone before KV has it is undone for whoever saw it', async () => {
    await put([{ id: 'a' }])
    await send('PUT', '/v1/admin/overlay', { hidden: ['x'] })
    const { hidden = [], at = 0 } = isolate.overlay?.value ?? {}
    expect(hidden).toEqual(['x'])
    cold()
    await send('PUT', '/v1/admin/overlay', { hidden: [] })
    const after = await shownOverlay()
    expect(after?.hidden).toEqual([])
    // The isolate that was shown x as hidden waits for something newer than that.
    expect(after?.at).toBeGreaterThan(at)
  })
})

describe('what fails on the way', () => {
  test('a clock that goes back a day takes nothing back that was shown', async () => {
    const now = Date.UTC(2026, 10, 25, 9)
    vi.useFakeTimers({ toFake: ['Date'], now })
    await put([{ id: 'a' }])
    const before = await shownOverlay()
    vi.setSystemTime(now - DAY_MS)
    await put([{ id: 'b' }])
    expect(itemsOf(isolate.overlay?.value.items)).toEqual(['a', 'b'])
    const after = await shownOverlay()
    expect(itemsOf(after?.items)).toEqual(['a', 'b'])
    expect(after?.at).toBeGreaterThan(before?.at ?? Number.POSITIVE_INFINITY)
  })

  test('KV that refuses a write (429) keeps no change from being taken, nor from being shown later', async () => {
    let refusals = 2
    await watch((key) => key === OVERLAY_KEY && refusals-- > 0)
    expect((await put([{ id: 'a' }])).status).toBe(200)
    expect(itemsOf(isolate.overlay?.value.items)).toEqual(['a'])
    expect(await inKv()).toEqual([])
    while (refusals >= 0) await runDurableObjectAlarm(liveState(env))
    expect(await inKv()).toEqual(['a'])
    expect(warned()).toContain('live-state-not-shown')
  })

  test('a crash before KV has a change is healed by the alarm, and by the cron', async () => {
    for (const heal of [() => runDurableObjectAlarm(liveState(env)), cron]) {
      await watch((key) => key === OVERLAY_KEY)
      const item = `after-${warned().length}`
      expect((await put([{ id: item }])).status).toBe(200)
      expect(await inKv()).not.toContain(item)
      await crash()
      await heal()
      expect(await inKv()).toContain(item)
    }
  })

  test('an overlay that KV lost, or that is none, is written again by the cron', async () => {
    await put([{ id: 'a' }])
    for (const wrong of ['{"v":1', '{"v":1,"at":0,"trending":{},"unavailable":[],"hidden":[]}']) {
      await shownOverlay()
      await env.RELEASES.put(OVERLAY_KEY, wrong)
      await cron()
      expect(await inKv()).toEqual(['a'])
    }
  })

  test('while R2 is down changes are live, wait for the log, and the night is told', async () => {
    let isDown = true
    await watch((key) => key !== OVERLAY_KEY && isDown)
    expect((await put([{ id: 'a' }])).status).toBe(200)
    expect(await inKv()).toEqual(['a'])
    expect((await send('POST', '/v1/admin/flush')).status).toBe(503)
    expect(await logged()).toEqual([])
    isDown = false
    expect((await send('POST', '/v1/admin/flush')).status).toBe(200)
    expect(await logged()).toEqual(['a'])
  })

  test('where the object cannot be reached nothing is taken, and the answer says when to come back', async () => {
    const broken = { ...env, LIVE_STATE: failingNamespace(env.LIVE_STATE) }
    for (const [method, path, body] of [
      ['PUT', '/v1/items', { items: [{ id: 'a' }] }],
      ['DELETE', '/v1/items/a', undefined],
      ['PUT', '/v1/admin/overlay', { hidden: ['a'] }],
    ] as const) {
      const response = await send(method, path, body, broken)
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(10)
    }
    expect(await shownOverlay()).toBeNull()
  })
})

describe('what is kept', () => {
  test('an item that no isolate could read takes no other with it', async () => {
    await put([{ id: 'a' }, { id: 'b' }])
    await runInDurableObject(liveState(env), (_, { storage }) => {
      storage.sql.exec(`UPDATE live_items SET json = replace(json, '"removed":false', '"removed":0') WHERE item = 'a'`)
    })
    expect((await put([{ id: 'c' }])).status).toBe(200)
    expect(await shownItems()).toEqual(['b', 'c'])
    expect((await put([{ id: 'a' }])).status).toBe(200)
    expect(await shownItems()).toEqual(['a', 'b', 'c'])
  })

  test('times before 1970 or beyond the calendar are refused, and whatever is taken can be changed again', async () => {
    const odd = ['1969-12-31T23:59:59Z', '-271821-04-20T00:00:00Z', -1, 8.64e15 + 1, 1e300]
    const response = await put([{ id: 'good' }, ...odd.map((from, i) => ({ id: `odd-${i}`, from }))])
    expect(await response.json()).toMatchObject({ accepted: 1, rejected: odd.map((_, i) => ({ field: `items[${i + 1}].from` })) })
    const named = (prefix: string): object => Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`${prefix}-${i}`, i]))
    for (const prefix of ['first', 'second']) expect((await put([{ id: 'good', properties: named(prefix) }])).status).toBe(200)
    expect((await shownOverlay())?.items.map(({ fields }) => fields.properties)).toEqual([named('second')])
    expect((await remove('good')).status).toBe(200)
  })

  test('more than every isolate can be asked to read waits for the night, what must not be shown last', async () => {
    const tags = Array.from({ length: 50 }, () => 'x'.repeat(100))
    const large = (i: number): object => ({ id: `large-${i}`, tags, url: 'u'.repeat(2000), image: 'i'.repeat(2000) })
    await put([{ id: 'gone', available: false }])
    for (let part = 0; part < 4; part++) expect((await put(Array.from({ length: 90 }, (_, i) => large(90 * part + i)))).status).toBe(200)
    const text = (await shownOverlay().then(() => env.RELEASES.get(OVERLAY_KEY))) ?? ''
    expect(text.length).toBeLessThan(2_100_000)
    expect(await inKv()).toContain('gone')
    expect(await logged()).toHaveLength(361)
  })

  test('a bulk of new items is live at once, and learns what it is like part by part', async () => {
    const { entries } = await buildTinyRelease()
    await putEntries(env.RELEASES, entries)
    cold()
    const fresh = Array.from({ length: 120 }, (_, i) => ({ id: `fresh-${i}`, title: 'Title of news', category: 'Garden', price: 6 }))
    expect(await (await put(fresh)).json()).toMatchObject({ accepted: 120, live: 120 })
    const like = async (): Promise<number> => ((await shownOverlay())?.items ?? []).filter((item) => item.like.length > 0).length
    const seen = [await like()]
    for (let turn = 0; turn < 5 && seen[seen.length - 1] < 120; turn++) seen.push(await like())
    expect(seen[seen.length - 1]).toBe(120)
  })

  test('what deployments of before kept in R2 is taken over, once', async () => {
    const old = { item: 'old', at: 1, first: 1, removed: false, fields: { title: 'Old' }, like: [] }
    await env.EVENTS.put('live/items.json', JSON.stringify({ v: 1, items: [old, { ...old, item: 'bad', at: 'never' }] }))
    await env.EVENTS.put('live/availability.json', JSON.stringify({ hidden: ['h'], unavailable: ['u'] }))
    await put([{ id: 'new' }])
    expect(await shownOverlay()).toMatchObject({ hidden: ['h'], unavailable: ['u'] })
    expect(await inKv()).toEqual(['new', 'old'])
    expect((await env.EVENTS.list({ prefix: 'live/' })).objects).toEqual([])
  })
})

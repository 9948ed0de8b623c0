import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import { openMemory } from '../../workers/identity/memory-token.ts'
import {
  accepted,
  call,
  click,
  eventId,
  failingNamespace,
  flushed,
  from,
  mint,
  post,
  postEvents,
  problemOf,
  visitorObjects,
  waiting,
} from './events-client.ts'

const HOUR_MS = 3_600_000

afterEach(async () => {
  vi.useRealTimers()
  await reset()
})

describe('what is taken', () => {
  test('every kind of event is archived with what the edge knows of it', async () => {
    const visitor = await mint()
    const at = Date.now() - 1000
    const sent = [
      { id: eventId(), type: 'impression', items: ['a', 'b'], recommId: 'r1', scenario: 'home', waited: 12.5, at },
      click('a', { recommId: 'r1', position: 1, at }),
      { id: eventId(), type: 'item_view', item: 'ü/✓', at },
      { id: eventId(), type: 'add_to_cart', item: 'b', quantity: 2, price: 3.5, at },
      { id: eventId(), type: 'purchase', items: [{ item: 'b', quantity: 2, price: 3.5 }], order: 'o1', at },
      { id: eventId(), type: 'custom', name: 'newsletter', value: 1, at },
    ]
    const answer = await accepted(from(visitor, sent), { cf: { country: 'FR' } as CfProperties })
    expect(answer.results).toEqual(sent.map(({ id }) => ({ id, status: 'accepted' })))
    const lines = await flushed()
    const hash = await visitorHash(env.ID_KEY, visitor)
    expect(lines).toHaveLength(sent.length)
    for (const [i, line] of lines.entries()) expect(line).toMatchObject({ ...sent[i], v: 1, visitor: hash, country: 'FR' })
    expect(lines.every(({ received }) => received >= at && received <= Date.now())).toBe(true)
    expect(JSON.stringify(lines)).not.toContain(visitor)
  })

  test('an event is in the log when the answer comes', async () => {
    await accepted(from(await mint(), [click('a')]))
    expect(await waiting()).toBe(1)
  })

  test('of what was done at one time, the last named is the newest, as for the night', async () => {
    const visitor = await mint()
    const at = Date.now() - 1000
    const { token } = await accepted(
      from(visitor, [click('a', { at }), { id: eventId(), type: 'purchase', items: [{ item: 'b' }, { item: 'c' }], at }]),
    )
    const identity = { hash: await visitorHash(env.ID_KEY, visitor), eu: false }
    const memory = await openMemory(env, identity, token ?? '', Date.now())
    expect(memory?.items.map(({ hash }) => hash)).toEqual(['c', 'b', 'a'].map((id) => itemHash(id, 0)))
  })

  test('the token remembers what was done, newest first, and stands in no one else’s name', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click('a', { at: Date.now() - 5000 })]))
    const { token } = await accepted(from(visitor, [{ id: eventId(), type: 'purchase', items: [{ item: 'b' }] }]))
    const identity = { hash: await visitorHash(env.ID_KEY, visitor), eu: false }
    const memory = await openMemory(env, identity, token ?? '', Date.now())
    expect(memory?.items.map(({ deed }) => deed)).toEqual([2, 0])
    const other = { hash: await visitorHash(env.ID_KEY, await mint()), eu: false }
    expect(await openMemory(env, other, token ?? '', Date.now())).toBeNull()
  })

  test('text/plain, as sendBeacon sends it, needs no preflight and is taken', async () => {
    const body = new Blob([JSON.stringify(from(await mint(), [click('a')]))], { type: 'text/plain;charset=UTF-8' })
    const response = await call('/v1/events', { method: 'POST', body })
    expect(response.status).toBe(202)
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(response.headers.get('server-timing')).toMatch(/^wait;dur=/)
  })

  test('a bad event spoils no other, and is told which field is wrong', async () => {
    const good = [click('a'), click('b')]
    const bad = [
      [{ id: 'event-bad-1', type: 'click', item: 7 }, 'events[1].item'],
      [{ id: 'event-bad-2', type: 'click', item: 'x'.repeat(201) }, 'events[1].item'],
      [{ id: 'event-bad-2', type: 'click', item: 'é'.repeat(101) }, 'events[1].item'],
      [{ id: 'event-bad-3', type: 'click', item: 'a', colour: 'red' }, 'events[1].colour'],
      [{ id: 'event-bad-4', type: 'stare', item: 'a' }, 'events[1].type'],
      [{ id: 'short', type: 'click', item: 'a' }, 'events[1].id'],
      [{ id: 'event-bad-5', type: 'purchase', items: [{ item: 'a' }, { item: '' }] }, 'events[1].items[1].item'],
      [{ id: 'event-bad-6', type: 'click', item: 'a', at: 'noon' }, 'events[1].at'],
      [{ id: 'event-bad-7', type: 'click' }, 'events[1].item'],
      ['click', 'events[1]'],
      [null, 'events[1]'],
    ] as const
    const visitor = await mint()
    for (const [event, field] of bad) {
      const { results } = await accepted(from(visitor, [good[0], event, good[1]]))
      expect(results.map(({ status }) => status)).toEqual(['accepted', 'rejected', 'accepted'])
      expect(results[1]).toMatchObject({ field })
      expect((results[1] as { detail: string }).detail).toContain(field)
    }
    expect((await flushed()).filter(({ id }) => id.startsWith('event-bad'))).toEqual([])
  })
})

describe('what is refused', () => {
  test.each([
    ['a missing list', {}, 'events'],
    ['an empty list', { events: [] }, 'events'],
    ['101 events', { events: Array.from({ length: 101 }, () => click('a')) }, 'events'],
    ['a wrong type', { events: 'click' }, 'events'],
    ['an unknown parameter', { events: [click('a')], debug: true }, 'debug'],
    ['a consent that is none', { events: [click('a')], consent: 'maybe' }, 'consent'],
    ['a visitor of the wrong type', { events: [click('a')], visitor: 5 }, 'visitor'],
  ])('%s is named', async (_, body, field) => {
    const response = await postEvents({ writeKey: env.WRITE_KEY, ...body })
    expect(response.status).toBe(400)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await problemOf(response)).toMatchObject({ status: 400, field })
    expect(await waiting()).toBe(0)
  })

  test('what is no JSON, or no UTF-8', async () => {
    expect((await post('/v1/events', '{"events":')).status).toBe(400)
    expect((await call('/v1/events', { method: 'POST', body: new Uint8Array([0x22, 0xff, 0x22]) })).status).toBe(400)
    expect((await call('/v1/events', { method: 'POST' })).status).toBe(400)
  })

  test('more than 64 KB, declared or not', async () => {
    const long = JSON.stringify({ writeKey: 'x'.repeat(70_000), events: [click('a')] })
    expect((await post('/v1/events', long)).status).toBe(413)
    let pulled = 0
    const endless = new ReadableStream({
      // As the platform's own bodies are.
      type: 'bytes',
      pull(controller) {
        if (++pulled > 1000) controller.close()
        else controller.enqueue(new Uint8Array(16_384).fill(0x20))
      },
    })
    const response = await call('/v1/events', { method: 'POST', body: endless })
    expect(response.status).toBe(413)
    expect(pulled).toBeLessThan(20)
  })

  test('a write key that is missing or wrong; a backend’s admin key stands for it', async () => {
    const events = [click('a')]
    for (const writeKey of [undefined, 'pk_other']) {
      const response = await postEvents({ writeKey, events })
      expect(response.status).toBe(403)
      expect(await problemOf(response)).toMatchObject({ field: 'writeKey' })
    }
    expect(await waiting()).toBe(0)
    const init = { headers: { authorization: `Bearer ${env.ADMIN_KEY}` } }
    expect((await postEvents({ events, visitor: 'user:anna', consent: 'granted' }, init)).status).toBe(202)
    expect((await flushed())[0].visitor).toBe(await visitorHash(env.ID_KEY, 'anna'))
  })

  test('everything, while the log takes nothing: the answer does not pretend', async () => {
    const broken = { ...env, EVENT_LOGS: failingNamespace(env.EVENT_LOGS) }
    const visitor = await mint()
    const response = await postEvents(from(visitor, [click('a')]), {}, broken)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(10)
    expect(await problemOf(response)).toMatchObject({ status: 503 })
    expect(await flushed()).toEqual([])
  })

  test('nothing, while only the visitor’s object fails', async () => {
    const broken = { ...env, VISITORS: failingNamespace(env.VISITORS) }
    const response = await postEvents(from(await mint(), [click('a')]), {}, broken)
    expect(response.status).toBe(202)
    expect(await response.json<EventsAnswer>()).not.toHaveProperty('token')
    expect(await flushed()).toHaveLength(1)
  })

  test('nothing, while tokens cannot be sealed', async () => {
    const response = await postEvents(from(await mint(), [click('a')]), {}, { ...env, TOKEN_KEYS: 'k1:no base64!' })
    expect(response.status).toBe(202)
    expect(await flushed()).toHaveLength(1)
  })
})

describe('without consent', () => {
  test.each([
    ['a no', { consent: 'denied' }, {}],
    ['a page that does not know', { consent: 'unknown' }, {}],
    ['Global Privacy Control against a yes', { consent: 'granted' }, { headers: { 'sec-gpc': '1' } }],
  ])('%s: the event counts, and belongs to nobody', async (_, body, init) => {
    const before = await visitorObjects()
    const answer = await accepted(from(await mint(), [click('a')], body), init)
    expect(answer.results[0].status).toBe('accepted')
    expect(answer).not.toHaveProperty('token')
    expect(await visitorObjects()).toBe(before)
    expect((await flushed()).map(({ visitor }) => visitor)).toEqual([null])
  })

  test('an id without proof is nobody', async () => {
    const before = await visitorObjects()
    for (const visitor of ['user:anna', 'anna', `v1.${'A'.repeat(36)}`, '']) {
      const answer = await accepted(from(visitor, [click('a')]))
      expect(answer).not.toHaveProperty('token')
    }
    expect(await visitorObjects()).toBe(before)
    expect((await flushed()).every(({ visitor }) => visitor === null)).toBe(true)
  })

  test('a request that says nothing goes by the earlier yes; where that cannot be read, it belongs to nobody', async () => {
    const visitor = await mint()
    expect(await accepted(from(visitor, [click('a')], { consent: undefined }))).not.toHaveProperty('token')
    const { token } = await accepted(from(visitor, [click('b')]))
    expect(await accepted(from(visitor, [click('c')], { consent: undefined }))).toHaveProperty('token')
    const broken = { ...env, VISITORS: failingNamespace(env.VISITORS) }
    expect((await postEvents(from(visitor, [click('d')], { consent: undefined, token }), {}, broken)).status).toBe(202)
    const hash = await visitorHash(env.ID_KEY, visitor)
    const owners = new Map((await flushed()).map((line) => ['item' in line ? line.item : '', line.visitor]))
    expect(Object.fromEntries(owners)).toEqual({ a: null, b: hash, c: hash, d: null })
  })
})

describe('clocks', () => {
  test('a time that cannot be right becomes the edge’s own, and is marked; with the clock standing still', async () => {
    const now = Date.UTC(2026, 10, 23, 12)
    vi.useFakeTimers({ toFake: ['Date'], now })
    const claims = [now + 6 * 60_000, now + 4 * 60_000, now - 71 * HOUR_MS, now - 73 * HOUR_MS, 0, undefined]
    await accepted(
      from(
        await mint(),
        claims.map((at) => click('a', { at })),
      ),
    )
    const lines = await flushed()
    expect(lines.map(({ at }) => at)).toEqual([now, claims[1], claims[2], now, now, now])
    expect(lines.map(({ claimedAt }) => claimedAt)).toEqual([claims[0], undefined, undefined, claims[3], 0, undefined])
    expect(lines.every(({ received }) => received === now)).toBe(true)
  })
})

describe('browsers of other sites', () => {
  const allowing = { ...env, ALLOWED_ORIGINS: 'https://shop.example, https://www.shop.example' }
  const origin = (value: string): { headers: { origin: string } } => ({ headers: { origin: value } })

  test('those on the list and the Worker’s own pages may read the answer, others may not', async () => {
    const allow = async (value: string): Promise<string | null> =>
      (await postEvents(from(await mint(), [click('a')]), origin(value), allowing)).headers.get('access-control-allow-origin')
    expect(await allow('https://www.shop.example')).toBe('https://www.shop.example')
    expect(await allow('https://edge.test')).toBe('https://edge.test')
    // What is nearly on the list is not: begins, ends or is spelt like one of it, or is on another port or scheme.
    const strangers = ['https://evil.example', 'null', '*', '', 'https://shop.example.evil.example', 'https://evilshop.example']
    const alike = [
      'http://shop.example',
      'https://shop.example:444',
      'https://shop.example.',
      'https://SHOP.example',
      'https://a.shop.example',
    ]
    for (const other of [...strangers, ...alike, 'https://shop.example, https://www.shop.example'])
      expect([other, await allow(other)]).toEqual([other, null])
  })

  test('a preflight is answered, and a problem can be read as well', async () => {
    const asked = { 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'authorization' }
    const preflight = await call('/v1/visitors/me', { method: 'OPTIONS', headers: { origin: 'https://shop.example', ...asked } }, allowing)
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    const refused = await postEvents({}, origin('https://shop.example'), allowing)
    expect(refused.status).toBe(400)
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://shop.example')
    // Without this a script of another origin could not read how long to wait.
    expect(refused.headers.get('access-control-expose-headers')?.toLowerCase()).toContain('retry-after')
  })
})

describe('what is not there', () => {
  test('a path, and a method', async () => {
    const missing = await call('/v1/nothing')
    expect(missing.status).toBe(404)
    expect(missing.headers.get('content-type')).toBe('application/problem+json')
    expect(missing.headers.get('x-content-type-options')).toBe('nosniff')
    const wrong = await call('/v1/events')
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
    expect((await call('/v1/visitors/me', { method: 'PUT' })).headers.get('allow')).toBe('GET, DELETE')
  })

  test('whatever is thrown is a problem that gives nothing away', async () => {
    const broken = {
      ...env,
      get WRITE_KEY(): string {
        throw new Error('secret detail')
      },
    } as unknown as Env
    const response = await postEvents(from(await mint(), [click('a')]), {}, broken)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret detail')
  })
})

import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import type { Receipt } from '../../shared/receipt.ts'
import type { ErasureRecord } from '../../shared/schemas/events.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import { DENIED, UNDECIDED } from '../../workers/identity/consent.ts'
import { readVisitorId } from '../../workers/identity/visitor-id.ts'
import type { VisitorState } from '../../workers/objects/visitor-state.ts'
import {
  accepted,
  bearer,
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
} from './events-client.ts'

type Exported = Omit<VisitorState, 'v'> & { pseudonym: string; erasedUntil?: number }
const WRITE = { writeKey: env.WRITE_KEY }
const HOUR_MS = 3_600_000
const YES: Consents = { personalisation: 'granted', learning: 'granted' }

const exported = async (token: string): Promise<Exported> => (await call('/v1/visitors/me', bearer(token))).json()
const erase = (token: string, bindings: Env = env): Promise<Response> =>
  call('/v1/visitors/me', { method: 'DELETE', ...bearer(token) }, bindings)

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

describe('minting', () => {
  const minted = async (body: object, init: RequestInit<CfProperties> = {}): Promise<[number, string | null]> => {
    const response = await post('/v1/visitors', { ...WRITE, ...body }, init)
    return [response.status, (await response.json<{ visitor: string | null }>()).visitor]
  }

  test('gives an id to who said yes, and makes no object for it', async () => {
    const before = await visitorObjects()
    const [status, visitor] = await minted({ consent: 'granted' })
    expect(status).toBe(201)
    expect(await readVisitorId(env.ID_KEY, visitor ?? '')).toEqual({ eu: false })
    expect(await visitorObjects()).toBe(before)
  })

  test('marks who lives in the EU', async () => {
    const [, visitor] = await minted({ consent: 'granted' }, { cf: { country: 'FR', isEUCountry: '1' } as CfProperties })
    expect(await readVisitorId(env.ID_KEY, visitor ?? '')).toEqual({ eu: true })
  })

  test('in the EU is found again on a journey', async () => {
    const [, visitor] = await minted({ consent: 'granted' }, { cf: { country: 'FR', isEUCountry: '1' } as CfProperties })
    await accepted(from(visitor ?? '', [click('a')]), { cf: { country: 'FR', isEUCountry: '1' } as CfProperties })
    const abroad = { cf: { country: 'US' } as CfProperties }
    await accepted(from(visitor ?? '', [click('b')]), abroad)
    const held: Exported = await (await call('/v1/visitors/me', { ...abroad, ...bearer(visitor ?? '') })).json()
    expect(held.items.map(({ id }) => id).sort()).toEqual(['a', 'b'])
  })

  test('names nobody without a yes', async () => {
    expect(await minted({})).toEqual([200, null])
    expect(await minted({ consent: 'denied' })).toEqual([200, null])
    expect(await minted({ consent: 'granted' }, { headers: { 'sec-gpc': '1' } })).toEqual([200, null])
  })

  test('asks for the write key, and takes no unknown parameter', async () => {
    expect((await post('/v1/visitors', { consent: 'granted' })).status).toBe(403)
    expect(await problemOf(await post('/v1/visitors', { ...WRITE, name: 'anna' }))).toMatchObject({ status: 400, field: 'name' })
  })
})

describe('export', () => {
  test('shows a visitor all that is held, wherever their object lives', async () => {
    for (const visitor of [await mint(), await mint(true)]) {
      await accepted(from(visitor, [click('a'), { id: eventId(), type: 'purchase', items: [{ item: 'b' }] }]))
      const held = await exported(visitor)
      expect(held).toMatchObject({ pseudonym: await visitorHash(env.ID_KEY, visitor), consent: YES, purchased: ['b'] })
      expect(held.items.map(({ id, deed }) => [id, deed]).sort()).toEqual([
        ['a', 0],
        ['b', 2],
      ])
    }
  })

  test('is private, and empty for who was never remembered', async () => {
    const response = await call('/v1/visitors/me', bearer(await mint()))
    expect(response.headers.get('cache-control')).toBe('private, no-store')
    expect(await response.json()).toMatchObject({ consent: UNDECIDED, items: [], createdAt: null })
  })

  test('is open to an identity token and to the admin who names the visitor', async () => {
    const token = await sign({ sub: 'anna', exp: Math.floor(Date.now() / 1000) + 60 }, env.IDENTITY_KEY, 'HS256')
    await accepted(from(token, [click('a')]))
    expect((await exported(token)).items).toHaveLength(1)
    const named: Exported = await (await call('/v1/visitors/me?visitor=user:anna', bearer(env.ADMIN_KEY))).json()
    expect(named.items).toHaveLength(1)
    expect((await call('/v1/visitors/me', bearer(env.ADMIN_KEY))).status).toBe(401)
  })

  test('opens to nobody else', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    const hash = await visitorHash(env.ID_KEY, visitor)
    const tampered = `${visitor.slice(0, -1)}${visitor.endsWith('A') ? 'Q' : 'A'}`
    for (const method of ['GET', 'DELETE']) {
      for (const token of [tampered, hash, `user:${hash}`, 'user:anna', env.WRITE_KEY, '']) {
        const response = await call('/v1/visitors/me', { method, ...bearer(token) })
        expect(response.status).toBe(401)
        expect(response.headers.get('www-authenticate')).toBe('Bearer')
        expect(await response.text()).not.toContain(hash.slice(0, 6))
      }
      expect((await call('/v1/visitors/me', { method })).status).toBe(401)
      // Named by someone who is not the admin: the id alone, in a URL, is no proof.
      expect((await call(`/v1/visitors/me?visitor=${visitor}`, { method, ...bearer('guess') })).status).toBe(401)
    }
    expect((await exported(visitor)).items).toHaveLength(1)
  })
})

describe('consent', () => {
  const say = async (visitor: string, consent: string, init: RequestInit = {}): Promise<Consents> => {
    const response = await call('/v1/visitors/me/consent', {
      method: 'POST',
      body: JSON.stringify({ consent }),
      headers: { ...bearer(visitor).headers, ...init.headers },
    })
    return (await response.json<{ consent: Consents }>()).consent
  }

  test('a no empties what is remembered, and later silence stays a no', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    expect(await say(visitor, 'denied')).toEqual(DENIED)
    expect(await exported(visitor)).toMatchObject({ consent: DENIED, items: [], purchased: [] })
    expect(await accepted(from(visitor, [click('b')], { consent: undefined }))).not.toHaveProperty('token')
    expect((await exported(visitor)).items).toEqual([])
  })

  test('a no makes no object where there is none; a yes does, and then counts', async () => {
    const visitor = await mint()
    await say(visitor, 'denied')
    expect(await exported(visitor)).toMatchObject({ consent: UNDECIDED })
    expect(await say(visitor, 'granted')).toEqual(YES)
    expect(await accepted(from(visitor, [click('a')], { consent: undefined }))).toHaveProperty('token')
  })

  test('Global Privacy Control turns a yes into a no', async () => {
    const visitor = await mint()
    expect(await say(visitor, 'granted', { headers: { 'sec-gpc': '1' } })).toEqual(DENIED)
    expect(await exported(visitor)).toMatchObject({ consent: UNDECIDED })
  })

  test('needs proof and a word that is known', async () => {
    expect((await post('/v1/visitors/me/consent', { consent: 'granted' })).status).toBe(401)
    const response = await post('/v1/visitors/me/consent', { consent: 'maybe' }, bearer(await mint()))
    expect(await problemOf(response)).toMatchObject({ status: 400, field: 'consent' })
  })
})

describe('erasure', () => {
  test('forgets at once, refuses what comes late, and gives a receipt that says what remains', async () => {
    const now = Date.UTC(2026, 10, 23, 12)
    vi.useFakeTimers({ toFake: ['Date'], now })
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    const receipt: Receipt = await (await erase(visitor)).json()
    const until = now + 72.5 * HOUR_MS
    expect(receipt.pseudonym).toBe(await visitorHash(env.ID_KEY, visitor))
    expect(receipt.remains[0]).toEqual({ what: expect.stringContaining('mark'), until: new Date(until).toISOString() })
    expect(receipt.remains).toHaveLength(6)
    expect(await exported(visitor)).toMatchObject({ items: [], erasedUntil: until })

    vi.setSystemTime(until - 1)
    expect(await accepted(from(visitor, [click('b')]))).not.toHaveProperty('token')
    expect(await exported(visitor)).toMatchObject({ items: [] })
    vi.setSystemTime(until)
    expect(await accepted(from(visitor, [click('c')]))).toHaveProperty('token')
    expect((await exported(visitor)).items.map(({ id }) => id)).toEqual(['c'])
  })

  test('stands in the archive, so that no night learns from the visitor’s past', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    await erase(visitor)
    const erasure = ((await flushed()) as (ErasureRecord | { type: string })[]).find(({ type }) => type === 'erasure') as ErasureRecord
    expect(erasure.visitor).toBe(await visitorHash(env.ID_KEY, visitor))
    expect(erasure.until).toBeGreaterThan(Date.now() + 72 * HOUR_MS)
  })

  test('of someone never seen leaves the mark as well; asked twice it does no harm', async () => {
    const visitor = await mint()
    expect((await erase(visitor)).status).toBe(200)
    expect((await erase(visitor)).status).toBe(200)
    expect(await accepted(from(visitor, [click('a')]))).not.toHaveProperty('token')
  })

  test('that could not be done is not said to be done', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    for (const broken of [{ VISITORS: failingNamespace(env.VISITORS) }, { EVENT_LOGS: failingNamespace(env.EVENT_LOGS) }]) {
      expect((await erase(visitor, { ...env, ...broken })).status).toBe(503)
    }
    expect((await erase(visitor)).status).toBe(200)
  })
})

describe('another visitor', () => {
  test('gets nothing from a token that is not theirs, nor from a good token with no proof beside it', async () => {
    const anna = await mint()
    const ben = await mint()
    const { token } = await accepted(from(anna, [click('a')]))
    // A stolen token does not make Ben’s silence a yes.
    const response = await postEvents(from(ben, [click('b')], { consent: undefined, token }))
    expect(await response.json()).not.toHaveProperty('token')
    const stranger = await postEvents({ ...WRITE, consent: 'granted', token, events: [click('c')] })
    expect(await stranger.json()).not.toHaveProperty('token')
    const hashes = (await flushed()).map(({ visitor }) => visitor)
    expect(hashes.filter((hash) => hash !== null)).toEqual([await visitorHash(env.ID_KEY, anna)])
  })
})

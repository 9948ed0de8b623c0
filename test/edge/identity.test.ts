import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { sign } from 'hono/jwt'
import { describe, expect, test, vi } from 'vitest'
import { type Memory, TOKEN_ITEMS } from '../../shared/memory.ts'
import { visitorHash } from '../../shared/pseudonym.ts'
import { itemHash } from '../../shared/release/hash.ts'
import { type Consent, type Consents, purposes } from '../../shared/schemas/ids.ts'
import { adminOf } from '../../workers/identity/admin.ts'
import { fromBase64Url, toBase64Url } from '../../workers/identity/base64url.ts'
import { consentOf, decidedBy, settled } from '../../workers/identity/consent.ts'
import { identify } from '../../workers/identity/identify.ts'
import { openMemory, sealMemory, TOKEN_LIFE_SECONDS } from '../../workers/identity/memory-token.ts'
import { mintVisitorId, readVisitorId } from '../../workers/identity/visitor-id.ts'

const RUNS = { numRuns: 60 }
const NOW = Date.UTC(2026, 10, 23, 12)
const anna = { hash: '0123456789abcdef', eu: false }
const ben = { hash: 'fedcba9876543210', eu: false }
const plain = new Request('https://edge.test/')
const withBearer = (token: string): Request => new Request('https://edge.test/', { headers: { authorization: `Bearer ${token}` } })

const memories: fc.Arbitrary<Memory> = fc
  .array(
    fc.record({
      hash: fc.string().map((id) => itemHash(id, 0)),
      deed: fc.constantFrom(0 as const, 1 as const, 2 as const),
      at: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((seconds) => seconds * 1000),
    }),
    { maxLength: 30 },
  )
  .map((items) => ({ items }))

/** Every text that differs from `text` by one flipped bit of one of its bytes, or by its length. */
const damaged = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc
      .tuple(fc.nat({ max: text.length - 1 }), fc.nat({ max: 6 }))
      .map(([i, bit]) => text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ (1 << bit)) + text.slice(i + 1)),
    fc.nat({ max: text.length - 1 }).map((length) => text.slice(0, length)),
    fc.string({ minLength: 1, maxLength: 5 }).map((tail) => text + tail),
  )

describe('visitor ids', () => {
  test('are the visitor’s again, with their jurisdiction', async () => {
    for (const eu of [true, false]) expect(await readVisitorId(env.ID_KEY, await mintVisitorId(env.ID_KEY, eu))).toEqual({ eu })
    const ids = await Promise.all(Array.from({ length: 200 }, () => mintVisitorId(env.ID_KEY, false)))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.every((id) => /^v1\.[\w-]{36}$/.test(id))).toBe(true)
  })

  test('that were changed, cut or lengthened are nobody’s', async () => {
    const id = await mintVisitorId(env.ID_KEY, false)
    await fc.assert(
      fc.asyncProperty(damaged(id), async (text) => {
        expect(await readVisitorId(env.ID_KEY, text)).toBeNull()
        expect(await identify(env, plain, text)).toBeNull()
      }),
      RUNS,
    )
  })

  test('cannot be made up, nor carried to another deployment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 27, maxLength: 27 }), async (bytes) => {
        expect(await readVisitorId(env.ID_KEY, `v1.${toBase64Url(bytes)}`)).toBeNull()
      }),
      RUNS,
    )
    expect(await readVisitorId('another-id-key', await mintVisitorId(env.ID_KEY, false))).toBeNull()
  })
})

describe('identity tokens', () => {
  const now = Math.floor(Date.now() / 1000)
  const signed = (payload: Record<string, unknown>, key = env.IDENTITY_KEY): Promise<string> => sign(payload, key, 'HS256')

  test('name the site’s own user, as an imported history does', async () => {
    const token = await signed({ sub: 'anna@shop', exp: now + 60 })
    expect(await identify(env, plain, token)).toEqual({ hash: await visitorHash(env.ID_KEY, 'anna@shop'), eu: false })
  })

  test('of a site whose users live in the EU say so, wherever the user is today, and for the admin as well', async () => {
    const inEu = { ...env, USERS_JURISDICTION: 'eu' } as unknown as Env
    const token = await signed({ sub: 'anna', exp: now + 60 })
    const abroad = new Request('https://edge.test/', { cf: { country: 'US' } as CfProperties })
    for (const request of [plain, abroad]) expect((await identify(inEu, request, token))?.eu).toBe(true)
    expect((await identify(inEu, withBearer(env.ADMIN_KEY), 'user:anna'))?.eu).toBe(true)
    expect((await identify(env, plain, token))?.eu).toBe(false)
  })

  test('of a backend whose clock is ahead are good', async () => {
    expect(await identify(env, plain, await signed({ sub: 'anna', iat: now + 30, exp: now + 60 }))).not.toBeNull()
  })

  test.each([
    ['expired', { sub: 'anna', exp: now - 1 }],
    ['without an end', { sub: 'anna' }],
    ['with an end that is none', { sub: 'anna', exp: 'tomorrow' }],
    ['ending at the beginning of time', { sub: 'anna', exp: 0 }],
    ['not good yet', { sub: 'anna', exp: now + 60, nbf: now + 30 }],
    ['without a name', { exp: now + 60 }],
    ['with an empty name', { sub: '', exp: now + 60 }],
    ['with a number for a name', { sub: 7, exp: now + 60 }],
  ])('%s are no proof', async (_, payload) => {
    expect(await identify(env, plain, await signed(payload))).toBeNull()
  })

  test('of another key, another algorithm or none are no proof', async () => {
    const payload = { sub: 'anna', exp: now + 60 }
    expect(await identify(env, plain, await signed(payload, 'another key'))).toBeNull()
    expect(await identify(env, plain, await sign(payload, env.IDENTITY_KEY, 'HS512'))).toBeNull()
    const head = toBase64Url(new TextEncoder().encode('{"alg":"none","typ":"JWT"}'))
    const body = toBase64Url(new TextEncoder().encode(JSON.stringify(payload)))
    expect(await identify(env, plain, `${head}.${body}.`)).toBeNull()
  })

  test('that were changed are no proof', async () => {
    const token = await signed({ sub: 'anna', exp: now + 600 })
    await fc.assert(
      fc.asyncProperty(damaged(token), async (text) => {
        const identity = await identify(env, plain, text)
        // Base64url has texts that differ in unused last bits and mean the same bytes: those name the same user, no other.
        if (identity !== null) expect(identity.hash).toBe(await visitorHash(env.ID_KEY, 'anna'))
      }),
      RUNS,
    )
  })
})

describe('the admin', () => {
  test('is who holds the whole key', async () => {
    expect((await adminOf(env, withBearer(env.ADMIN_KEY)))?.name).toBe('key')
    for (const key of ['', env.ADMIN_KEY.slice(1), `${env.ADMIN_KEY}x`, env.ID_KEY]) expect(await adminOf(env, withBearer(key))).toBeNull()
    expect(await adminOf(env, plain)).toBeNull()
    expect(await adminOf({ ...env, ADMIN_KEY: '' }, withBearer(''))).toBeNull()
  })

  test('alone may name a user without that user’s proof', async () => {
    const expected = { hash: await visitorHash(env.ID_KEY, 'anna'), eu: false }
    expect(await identify(env, withBearer(env.ADMIN_KEY), 'user:anna')).toEqual(expected)
    expect(await identify(env, withBearer('guess'), 'user:anna')).toBeNull()
    expect(await identify(env, plain, 'user:anna')).toBeNull()
    expect(await identify(env, plain, expected.hash)).toBeNull()
  })

  test('without a key set, nobody is proven, and nothing is thrown', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    expect(await identify({ ...env, ID_KEY: '' }, plain, await mintVisitorId('x', false))).toBeNull()
    vi.restoreAllMocks()
  })
})

describe('consent', () => {
  const gpc = new Request('https://edge.test/', { headers: { 'sec-gpc': '1' } })
  const both = (word: Consent): Consents => ({ personalisation: word, learning: word })
  test.each([
    [plain, 'granted', both('granted')],
    [plain, 'denied', both('denied')],
    [plain, 'unknown', both('denied')],
    [plain, undefined, both('unknown')],
    [plain, {}, both('unknown')],
    [plain, { learning: 'granted' }, { personalisation: 'unknown', learning: 'granted' }],
    [plain, { personalisation: 'unknown', learning: 'granted' }, { personalisation: 'denied', learning: 'granted' }],
    [gpc, 'granted', both('denied')],
    [gpc, { learning: 'granted' }, both('denied')],
    [gpc, undefined, both('denied')],
  ] as const)('as a request says it, case %#', (request, said, expected) => {
    expect(consentOf(request, said)).toEqual(expected)
  })

  const words = fc.constantFrom<Consent>('granted', 'denied', 'unknown')
  const choices = fc.record({ personalisation: words, learning: words })

  test('a no that was decided stands against every request, and a request’s own no against every decision', () => {
    fc.assert(
      fc.property(fc.option(choices), choices, (decided, said) => {
        for (const purpose of purposes) {
          const holds = settled(decided, said)[purpose]
          const kept = decidedBy(decided, said)[purpose]
          if (decided?.[purpose] === 'denied') expect([holds, kept]).toEqual(['denied', 'denied'])
          if (said[purpose] === 'denied') expect(holds).toBe('denied')
          // What only a request denies is not kept as the visitor's decision, and nothing is allowed that nobody allowed.
          if (kept === 'denied') expect(decided?.[purpose]).toBe('denied')
          if (holds === 'granted') expect([decided?.[purpose], said[purpose]]).toContain('granted')
        }
      }),
    )
  })
})

describe('memory tokens', () => {
  test('bring back what was sealed, the newest 20 items', async () => {
    await fc.assert(
      fc.asyncProperty(memories, async (memory) => {
        const token = await sealMemory(env, anna, memory, NOW)
        expect(token.length).toBeLessThanOrEqual(400)
        expect(await openMemory(env, anna, token, NOW)).toEqual({ items: memory.items.slice(0, TOKEN_ITEMS) })
      }),
      RUNS,
    )
  })

  test('are at most 400 characters with 20 items, and say nothing of them', async () => {
    const items = Array.from({ length: 20 }, (_, i) => ({ hash: itemHash(`item-${i}`, 0), deed: 0 as const, at: NOW }))
    const tokens = await Promise.all([1, 2].map(() => sealMemory(env, anna, { items }, NOW)))
    expect(tokens[0].length).toBeLessThanOrEqual(400)
    expect(tokens[0]).not.toBe(tokens[1])
  })

  test('that were changed, cut or lengthened do not open', async () => {
    const token = await sealMemory(env, anna, { items: [{ hash: 7, deed: 1, at: NOW }] }, NOW)
    await fc.assert(
      fc.asyncProperty(damaged(token), async (text) => {
        expect(await openMemory(env, anna, text, NOW)).toBeNull()
      }),
      RUNS,
    )
    await fc.assert(
      fc.asyncProperty(fc.string(), async (text) => {
        expect(await openMemory(env, anna, text, NOW)).toBeNull()
        expect(await openMemory(env, anna, `k1.${text}`, NOW)).toBeNull()
      }),
      RUNS,
    )
  })

  test('every flipped bit is noticed', async () => {
    const [kid, body] = (await sealMemory(env, anna, { items: [{ hash: 7, deed: 1, at: NOW }] }, NOW)).split('.')
    const bytes = fromBase64Url(body) ?? new Uint8Array()
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice()
      flipped[bit >> 3] ^= 1 << (bit & 7)
      expect(await openMemory(env, anna, `${kid}.${toBase64Url(flipped)}`, NOW)).toBeNull()
    }
  })

  test('are good for half an hour, for one visitor of one site', async () => {
    const token = await sealMemory(env, anna, { items: [] }, NOW)
    expect(await openMemory(env, anna, token, NOW + TOKEN_LIFE_SECONDS * 1000)).toEqual({ items: [] })
    expect(await openMemory(env, anna, token, NOW + TOKEN_LIFE_SECONDS * 1000 + 1000)).toBeNull()
    expect(await openMemory(env, ben, token, NOW)).toBeNull()
    expect(await openMemory({ ...env, SITE: 'other' } as unknown as Env, anna, token, NOW)).toBeNull()
  })

  test('keys rotate: the first seals, all of them open, and one that is taken away opens nothing', async () => {
    const keyText = (byte: number): string => btoa(String.fromCharCode(...new Uint8Array(32).fill(byte)))
    const before = { ...env, TOKEN_KEYS: `a:${keyText(1)}` }
    const during = { ...env, TOKEN_KEYS: `b:${keyText(2)},a:${keyText(1)}` }
    const after = { ...env, TOKEN_KEYS: `b:${keyText(2)}` }
    const old = await sealMemory(before, anna, { items: [] }, NOW)
    const young = await sealMemory(during, anna, { items: [] }, NOW)
    expect([old, young].map((token) => token.split('.')[0])).toEqual(['a', 'b'])
    expect(await openMemory(during, anna, old, NOW)).not.toBeNull()
    expect(await openMemory(after, anna, young, NOW)).not.toBeNull()
    expect(await openMemory(after, anna, old, NOW)).toBeNull()
    expect(await openMemory(before, anna, young, NOW)).toBeNull()
  })
})

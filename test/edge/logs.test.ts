import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import { takeIgnored } from '../../workers/identity/ignored-tokens.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, bearer, call, click, failingNamespace, from, mint, post } from './events-client.ts'

const ADDRESS = '203.0.113.77'
const QUERY = 'filter.category=tell-tale'

let logged: string[]
beforeEach(() => {
  coldStart()
  takeIgnored()
  logged = []
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(' ')))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await reset()
})

/** Each part of the storage broken in turn, and none of it: every line of log that there is to provoke. */
const brokenStores = (): Env[] => [
  env,
  { ...env, VISITORS: failingNamespace(env.VISITORS) },
  { ...env, EVENT_LOGS: failingNamespace(env.EVENT_LOGS) },
  { ...env, AUDIT_LOG: failingNamespace(env.AUDIT_LOG) },
  { ...env, TOKEN_KEYS: 'k1:no base64!' },
  { ...env, ID_KEY: '' },
]

describe('whatever goes wrong', () => {
  test('logs and answers name no visitor, no address, no query and no order', async () => {
    const visitor = await mint()
    const user = await sign({ sub: 'anna@shop.example', exp: Math.floor(Date.now() / 1000) + 600 }, env.IDENTITY_KEY, 'HS256')
    const { token = '' } = await accepted(from(visitor, [click('a')]))
    const from77 = { headers: { 'cf-connecting-ip': ADDRESS, 'x-forwarded-for': ADDRESS, 'user-agent': 'tell-tale browser' } }
    const problems: string[] = []
    for (const bindings of brokenStores())
      for (const who of [visitor, user, `${visitor}x`, 'user:anna@shop.example']) {
        const events = [click('a'), { id: 'order-event-1', type: 'purchase', order: 'tell-tale-order', items: [{ item: 'a' }] }]
        const answers = [
          await post('/v1/events', from(who, events, { token }), from77, bindings),
          await post('/v1/recommendations', { writeKey: env.WRITE_KEY, consent: 'granted', visitor: who, token }, from77, bindings),
          await call(`/v1/recommendations?${QUERY}`, from77, bindings),
          await call(`/v1/recommendations?${QUERY}&visitor=${encodeURIComponent(who)}`, from77, bindings),
          await post('/v1/visitors/me/consent', { consent: 'granted', visitor: who }, from77, bindings),
          await call('/v1/visitors/me', { headers: { ...from77.headers, ...bearer(who).headers } }, bindings),
          await call('/v1/visitors/me', { method: 'DELETE', headers: { ...from77.headers, ...bearer(who).headers } }, bindings),
        ]
        for (const answer of answers) if (!answer.ok) problems.push(await answer.text())
      }
    expect(logged.length).toBeGreaterThan(5)
    expect(problems.length).toBeGreaterThan(5)
    const hashes = await Promise.all([visitor, 'anna@shop.example'].map((id) => visitorHash(env.ID_KEY, id)))
    const text = [...logged, ...problems].join('\n')
    for (const secret of [visitor.slice(3, 30), user.slice(-20), token.slice(5, 30), 'anna@shop.example', ...hashes, ADDRESS, 'tell-tale'])
      expect(text).not.toContain(secret)
  })
})

describe('every answer', () => {
  test.each(['/v1/recommendations', '/v1/nothing', '/v1/visitors/me', '/v1/lists/GB/popular', '/v1/recommendations?limit=0', '/healthz'])(
    '%s is data, and says so to browsers',
    async (path) => {
      const { headers } = await call(path)
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringMatching(/^max-age=\d{7,}$/),
      })
      expect(headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})

import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { adminClaims, type Scope } from '../../shared/admin-token.ts'
import { takeIgnored } from '../../workers/identity/ignored-tokens.ts'
import { accepted, bearer, call, click, from, mint, post, postEvents } from './events-client.ts'

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600
const token = (allowed: Scope[], { site = env.SITE, until = inAnHour(), key = env.ADMIN_KEY as string } = {}): Promise<string> =>
  sign(adminClaims(site, 'support', allowed, until), key, 'HS256')

let warned: string[]
beforeEach(() => {
  takeIgnored()
  warned = []
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void warned.push(line))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await reset()
})

/** What each scope is for, one call each. */
const calls: Record<Scope, (bearerToken: string, bindings?: Env) => Promise<Response>> = {
  events: (key, bindings) => postEvents({ visitor: 'user:anna', consent: 'granted', events: [click('a')] }, bearer(key), bindings),
  visitors: (key, bindings) => call('/v1/visitors/me?visitor=user:anna', bearer(key), bindings),
  catalogue: (key, bindings) => call('/v1/admin/overlay', { method: 'PUT', body: '{"hidden":[]}', ...bearer(key) }, bindings),
  operations: (key, bindings) => call('/v1/admin/flush', { method: 'POST', ...bearer(key) }, bindings),
  audit: (key, bindings) => call('/v1/admin/audit', bearer(key), bindings),
}
const scopes = Object.keys(calls) as Scope[]

describe('an admin token', () => {
  test('opens what it is for, and nothing else; the key opens all', async () => {
    for (const allowed of scopes) {
      const mine = await token([allowed])
      for (const scope of scopes) expect([allowed, scope, (await calls[scope](mine)).ok]).toEqual([allowed, scope, allowed === scope])
    }
    for (const scope of scopes) expect((await calls[scope](env.ADMIN_KEY)).ok).toBe(true)
  })

  test('that is expired, forged or another site’s opens nothing', async () => {
    const bad = [
      await token(scopes, { until: inAnHour() - 7200 }),
      await token(scopes, { site: 'other' }),
      await token(scopes, { key: env.IDENTITY_KEY }),
      (await token(scopes)).slice(0, -2),
      await sign({ sub: 'anna', exp: inAnHour() }, env.ADMIN_KEY, 'HS256'),
    ]
    for (const one of bad) for (const scope of scopes) expect((await calls[scope](one)).ok).toBe(false)
    takeIgnored()
    warned.length = 0
    for (const scope of ['catalogue', 'operations', 'audit'] as const) expect((await calls[scope](bad[3])).status).toBe(401)
    expect(warned.map((line) => JSON.parse(line))).toEqual([{ event: 'tokens-ignored', 'admin no admin’s': 1 }])
    expect(takeIgnored()).toEqual({ 'admin no admin’s': 2 })
  })

  test('and the key rotate: two are good at once, and one that is taken away is not', async () => {
    const old = await token(['audit'], { key: 'old-key' })
    const during = { ...env, ADMIN_KEY: 'new-key, old-key' } as unknown as Env
    const after = { ...env, ADMIN_KEY: 'new-key' } as unknown as Env
    for (const good of [old, 'old-key', 'new-key']) expect((await calls.audit(good, during)).status).toBe(200)
    expect((await calls.audit('new-key', after)).status).toBe(200)
    for (const bad of [old, 'old-key', 'new-key, old-key', '']) expect((await calls.audit(bad, after)).status).toBe(401)
  })
})

describe('a token that is no good', () => {
  const recommend = async (more: object): Promise<number> =>
    (await post('/v1/recommendations', { writeKey: env.WRITE_KEY, consent: 'granted', ...more })).status

  test('is ignored and counted, and no error to the visitor', async () => {
    const [anna, ben] = [await mint(), await mint()]
    const { token: memory = '' } = await accepted(from(anna, [click('a')]))
    const identity = (claims: object, key: string = env.IDENTITY_KEY): Promise<string> =>
      sign({ sub: 'anna', exp: inAnHour(), ...claims }, key, 'HS256')
    const sent = [
      [{ visitor: ben, token: memory }, 'memory forged or damaged'],
      [{ visitor: anna, token: memory.slice(0, -4) }, 'memory forged or damaged'],
      [{ visitor: `${anna.slice(0, -3)}AAA` }, 'visitor forged or damaged'],
      [{ visitor: await identity({}, 'guess') }, 'identity forged or damaged'],
      [{ visitor: await identity({ exp: inAnHour() - 7200 }) }, 'identity expired'],
      [{ visitor: await identity({ aud: 'other' }) }, 'identity another site’s'],
    ] as const
    for (const [body, counted] of sent) {
      warned.length = 0
      takeIgnored()
      expect(await recommend(body)).toBe(200)
      const lines = warned.filter((line) => line.includes('tokens-ignored')).map((line) => JSON.parse(line) as object)
      expect(lines).toEqual([{ event: 'tokens-ignored', [counted]: 1 }])
    }
  })

  test('costs one line a minute, however many are sent, and the line names nobody', async () => {
    for (let i = 0; i < 20; i++) await recommend({ visitor: `v1.${'A'.repeat(36)}` })
    const lines = warned.filter((line) => line.includes('tokens-ignored'))
    expect(lines).toHaveLength(1)
    expect(takeIgnored()).toEqual({ 'visitor forged or damaged': 19 })
    expect(lines[0]).not.toContain('AAAA')
  })

  test('a good one is not counted', async () => {
    const visitor = await mint()
    const { token: memory } = await accepted(from(visitor, [click('a')]))
    expect(await recommend({ visitor, token: memory })).toBe(200)
    expect(warned.filter((line) => line.includes('tokens-ignored'))).toEqual([])
  })
})

import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import type { EventRecord, MergeRecord } from '../../shared/schemas/events.ts'
import type { ConsentChoice } from '../../shared/schemas/ids.ts'
import type { MergeAnswer } from '../../shared/schemas/visitors.ts'
import { accepted, bearer, call, click, failingNamespace, flushed, from, mint, post, problemOf } from './events-client.ts'

const user = (sub = 'anna'): Promise<string> => sign({ sub, exp: Math.floor(Date.now() / 1000) + 600 }, env.IDENTITY_KEY, 'HS256')
const asked = (anonymous: string, into: string, init: RequestInit = {}, bindings: Env = env): Promise<Response> =>
  post('/v1/visitors/merge', { writeKey: env.WRITE_KEY, from: anonymous, into }, init as RequestInit<CfProperties>, bindings)
const merged = async (anonymous: string, into: string): Promise<MergeAnswer> => (await asked(anonymous, into)).json()
const decide = (visitor: string, consent: ConsentChoice): Promise<Response> => post('/v1/visitors/me/consent', { consent }, bearer(visitor))
const held = async (visitor: string): Promise<string[]> =>
  (await (await call('/v1/visitors/me', bearer(visitor))).json<{ items: { id: string }[] }>()).items.map(({ id }) => id).sort()
const merges = async (): Promise<MergeRecord[]> =>
  ((await flushed()) as (EventRecord | MergeRecord)[]).filter((line): line is MergeRecord => line.type === 'merge')

afterEach(async () => {
  vi.restoreAllMocks()
  await reset()
})

describe('a login', () => {
  test('joins what was done before it with what the user did elsewhere, once', async () => {
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(anna, [click('old')]))
    await accepted(from(visitor, [click('a'), { ...click('b'), type: 'add_to_cart' }]))
    const answer = await merged(visitor, anna)
    expect(answer).toMatchObject({ items: 3, token: expect.any(String) })
    expect(await held(anna)).toEqual(['a', 'b', 'old'])
    expect(await held(visitor)).toEqual([])
    expect(await merged(visitor, anna)).toMatchObject({ items: 3 })
    const [hash, into] = await Promise.all([visitor, 'anna'].map((id) => visitorHash(env.ID_KEY, id)))
    expect((await merges()).map((line) => [line.visitor, line.into])).toEqual([[hash, into]])
  })

  test('leaves the anonymous id worth nothing: a tab that still has it adds nothing to anybody', async () => {
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(visitor, [click('a')]))
    await merged(visitor, anna)
    expect(await accepted(from(visitor, [click('late')]))).not.toHaveProperty('token')
    expect(await held(anna)).toEqual(['a'])
    expect((await flushed()).find((line) => 'item' in line && line.item === 'late')?.visitor).toBeNull()
    // Nor may the next one on a shared computer take it along.
    const ben = await user('ben')
    await merged(visitor, ben)
    expect(await held(ben)).toEqual([])
    expect(await merges()).toHaveLength(1)
  })

  test.each([
    ['the user had said no', 'granted', 'denied'],
    ['the stranger had said no', 'denied', 'granted'],
  ] as const)('keeps the stricter decision where %s', async (_, anonymous, known) => {
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(visitor, [click('a')]))
    await accepted(from(anna, [click('old')]))
    await decide(visitor, anonymous)
    await decide(anna, known)
    const answer = await merged(visitor, anna)
    expect(answer).toEqual({ consent: { personalisation: 'denied', learning: 'denied' }, items: 0 })
    expect(await held(anna)).toEqual([])
    expect(await merges()).toEqual([])
  })

  test('keeps the stricter decision purpose by purpose', async () => {
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(visitor, [click('a')]))
    await accepted(from(anna, [click('old')]))
    await decide(anna, { learning: 'denied' })
    expect(await merged(visitor, anna)).toMatchObject({ consent: { personalisation: 'granted', learning: 'denied' }, items: 2 })
    expect(await merges()).toEqual([])
  })

  test('does nothing against Global Privacy Control, and brings nothing back after an erasure', async () => {
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(visitor, [click('a')]))
    expect(await (await asked(visitor, anna, { headers: { 'sec-gpc': '1' } })).json()).toMatchObject({ items: 0 })
    expect([await held(visitor), await held(anna)]).toEqual([['a'], []])
    await call('/v1/visitors/me', { method: 'DELETE', ...bearer(anna) })
    expect(await merged(visitor, anna)).toMatchObject({ items: 0, consent: { personalisation: 'denied' } })
    expect(await held(anna)).toEqual([])
  })

  test('needs proof of both', async () => {
    const [visitor, anna] = [await mint(), await user()]
    const forged = await sign({ sub: 'anna', exp: Math.floor(Date.now() / 1000) + 600 }, 'guess', 'HS256')
    for (const [one, other, status, field] of [
      [`${visitor}x`, anna, 401, 'from'],
      [anna, visitor, 401, 'from'],
      ['user:ben', anna, 401, 'from'],
      [visitor, forged, 401, 'into'],
      [visitor, 'user:anna', 401, 'into'],
      [visitor, visitor, 400, 'into'],
    ] as const)
      expect(await problemOf(await asked(one, other))).toMatchObject({ status, field })
    expect((await post('/v1/visitors/merge', { from: visitor, into: anna })).status).toBe(403)
  })

  test('that failed on the way may be asked for again', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const [visitor, anna] = [await mint(), await user()]
    await accepted(from(visitor, [click('a')]))
    expect((await asked(visitor, anna, {}, { ...env, EVENT_LOGS: failingNamespace(env.EVENT_LOGS) })).status).toBe(503)
    expect(await merged(visitor, anna)).toMatchObject({ items: 1 })
    expect(await held(anna)).toEqual(['a'])
  })
})

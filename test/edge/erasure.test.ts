import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import { isGenuine, type SignedReceipt } from '../../shared/receipt.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import type { ForgetAnswer } from '../../shared/schemas/visitors.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, bearer, call, click, failingNamespace, flushed, from, mint, post } from './events-client.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const USER = 'anna@shop.example'
let items: string[]

beforeEach(async () => {
  coldStart()
  const { entries, itemIds } = await buildTinyRelease({
    members: [{ visitor: await visitorHash(env.ID_KEY, USER), items: [20, 21, 22], deeds: [2, 2, 2], days: [1, 2, 3] }],
  })
  await putEntries(env.RELEASES, entries)
  items = itemIds
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

const identity = (): Promise<string> => sign({ sub: USER, exp: Math.floor(Date.now() / 1000) + 600 }, env.IDENTITY_KEY, 'HS256')
const erase = async (token: string): Promise<SignedReceipt> =>
  (await call('/v1/visitors/me', { method: 'DELETE', ...bearer(token) })).json()
const forget = (visitors: unknown, key = env.ADMIN_KEY, bindings: Env = env): Promise<Response> =>
  post('/v1/admin/forget', { visitors }, bearer(key), bindings)
const seen = async (visitor: string): Promise<string[]> => {
  const body = { writeKey: env.WRITE_KEY, consent: 'granted', scenario: 'recently-viewed', region: 'GB', visitor }
  const answer: RecommendationAnswer = await (await post('/v1/recommendations', body)).json()
  return answer.items.map(({ id }) => id)
}

describe('the receipt', () => {
  test('is signed: whatever of it is changed, it is no longer this deployment’s', async () => {
    const receipt = await erase(await mint())
    expect(await isGenuine(env.ID_KEY, receipt)).toBe(true)
    expect(await isGenuine('another key', receipt)).toBe(false)
    for (const changed of [
      { ...receipt, pseudonym: '0000000000000000' },
      { ...receipt, remains: receipt.remains.slice(1) },
      { ...receipt, remains: receipt.remains.map((one) => ({ ...one, until: 'never' })) },
      { ...receipt, audit: { ...receipt.audit, seq: 7 } },
      { ...receipt, signature: receipt.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      'receipt',
      null,
    ])
      expect(await isGenuine(env.ID_KEY, changed)).toBe(false)
  })

  test('promises ends that are kept: tokens in half an hour, archives in 30 days', async () => {
    const now = Date.UTC(2026, 10, 23, 12)
    vi.useFakeTimers({ toFake: ['Date'], now })
    const { remains } = await erase(await mint())
    const until = (word: string): number => Date.parse(remains.find(({ what }) => what.includes(word))?.until ?? '')
    expect(until('tokens')).toBe(now + HOUR_MS / 2)
    expect(until('late events')).toBe(now + 72.5 * HOUR_MS)
    for (const word of ['archived events', 'imported history']) expect(until(word)).toBe(now + 30 * DAY_MS)
    expect(until('earlier release')).toBeGreaterThanOrEqual(now + 30 * DAY_MS)
  })
})

describe('an erasure survives', () => {
  test('a second open tab, which goes on with the id, its yes and a token that is still good', async () => {
    const visitor = await mint()
    const { token } = await accepted(from(visitor, [click(items[20])]))
    const { pseudonym } = await erase(visitor)
    expect(await accepted(from(visitor, [click(items[21])], { token }))).not.toHaveProperty('token')
    // Not in the archive either: the next night has nothing new to remove.
    const owners = new Map((await flushed()).map((line) => ['item' in line ? line.item : line.id, line.visitor]))
    expect([items[20], items[21]].map((item) => owners.get(item))).toEqual([pseudonym, null])
    expect(await seen(visitor)).toEqual([])
  })

  test('an explicit yes of that tab, too', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    await erase(visitor)
    const answer = await post('/v1/visitors/me/consent', { consent: 'granted', visitor })
    expect(await answer.json()).toEqual({ consent: { personalisation: 'denied', learning: 'denied' } })
    expect(await seen(visitor)).toEqual([])
  })

  test('a roll-back to a release that holds their imported history, for as long as one may be made', async () => {
    const start = Date.now()
    expect(await seen(await identity())).toEqual([20, 21, 22].map((i) => items[i]))
    await erase(await identity())
    // The release is still the one with the history in it, as after a roll-back.
    for (const later of [0, 4 * DAY_MS, 29 * DAY_MS]) {
      vi.useFakeTimers({ toFake: ['Date'], now: start + later })
      expect(await seen(await identity())).toEqual([])
    }
  })
})

describe('an admin', () => {
  test('erases others by what the site knows of them, and gets a receipt for each', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    expect(await seen(await identity())).toHaveLength(3)
    const answer: ForgetAnswer = await (await forget([visitor, `user:${USER}`, 'nobody', `${visitor}x`])).json()
    expect(answer.results.map(({ status }) => status)).toEqual(['erased', 'erased', 'rejected', 'rejected'])
    for (const result of answer.results) if (result.status === 'erased') expect(await isGenuine(env.ID_KEY, result.receipt)).toBe(true)
    expect(await seen(visitor)).toEqual([])
    expect(await seen(await identity())).toEqual([])
    expect((await flushed()).filter(({ type }) => (type as string) === 'erasure')).toHaveLength(2)
  })

  test('has to be one, and to name somebody', async () => {
    expect((await forget([`user:${USER}`], 'guess')).status).toBe(401)
    for (const visitors of [undefined, [], 'all', [7], Array.from({ length: 11 }, () => 'user:x')])
      expect((await forget(visitors)).status).toBe(400)
  })

  test('is not told that it is done where it is not', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    for (const broken of [{ VISITORS: failingNamespace(env.VISITORS) }, { AUDIT_LOG: failingNamespace(env.AUDIT_LOG) }])
      expect((await forget([`user:${USER}`], env.ADMIN_KEY, { ...env, ...broken } as Env)).status).toBe(503)
  })
})

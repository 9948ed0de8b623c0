import { reset, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { EventRecord } from '../../shared/schemas/events.ts'
import { distinctCount } from '../../workers/cron/sketch.ts'
import { isDeclaredBot } from '../../workers/events/limits.ts'
import { networkOf, prefixOf } from '../../workers/http/network.ts'
import { senderOf } from '../../workers/objects/crowd.ts'
import { appendEvents, eventLogs } from '../../workers/objects/event-log-client.ts'
import { accepted, click, flushed, from, mint, postEvents, problemOf, visitorObjects } from './events-client.ts'

beforeEach(async () => {
  await reset()
})

const NOW = Date.now()
const from24 = (last: number): { headers: { 'cf-connecting-ip': string } } => ({ headers: { 'cf-connecting-ip': `203.0.113.${last}` } })
const visitorsIn = (lines: readonly EventRecord[]): Set<string> => new Set(lines.flatMap(({ visitor }) => visitor ?? []))

/** 1,000 fresh ids behind one network click one item a hundred times each. */
async function flood(bindings: Env): Promise<{ lines: EventRecord[]; trending: number }> {
  const network = await networkOf(env, new Request('https://edge.test', from24(7)), NOW)
  for (let fresh = 0; fresh < 1000; fresh++) {
    const visitor = `f${String(fresh).padStart(15, '0')}`
    const record = { v: 1, type: 'click', item: 'pushed', at: NOW, received: NOW, visitor, country: 'GB', device: null, referrer: null }
    const lines = Array.from({ length: 100 }, (_, i) => `${JSON.stringify({ ...record, id: `flood-${fresh}-${i}` })}\n`).join('')
    await appendEvents(env, lines, NOW, { sender: senderOf(network, visitor), eu: false })
  }
  let trending = 0
  for (const log of eventLogs(env)) {
    await runInDurableObject(log, async (object) => {
      // Not a second object over the same tables, which the platform never has either.
      const shard = object as unknown as { env: Env; flush(): Promise<number> }
      const own = shard.env
      shard.env = bindings
      await shard.flush()
      shard.env = own
    })
    trending += distinctCount((await log.trends(6, NOW)).get('*')?.get('pushed') ?? [])
  }
  return { lines: await flushed(), trending }
}

describe('a thousand fresh ids behind one network', () => {
  const bound = Number(env.CROWD_LIMIT)

  test('move no list by more than the fifty that count, with 100,000 clicks, of which none is lost', async () => {
    const { lines, trending } = await flood(env)
    expect(lines).toHaveLength(100_000)
    expect(visitorsIn(lines).size).toBe(bound)
    expect(trending).toBeLessThanOrEqual(2 * bound)
    expect(lines.filter(({ crowd }) => crowd === true)).toHaveLength(100_000 - 100 * bound)
  }, 120_000)

  test('move it by a thousand where nobody counts them', async () => {
    const { lines, trending } = await flood({ ...env, CROWD_LIMIT: '0' })
    expect(visitorsIn(lines).size).toBe(1000)
    expect(trending).toBeGreaterThan(4 * bound)
  }, 120_000)
})

test('networks meet in one shard, are counted over flushes, and are forgotten with their day', async () => {
  for (let i = 0; i < 2; i++) {
    for (let visitor = 0; visitor < 26; visitor++) await accepted(from(await mint(), [click('a')]), from24(visitor))
    await flushed()
  }
  const lines = await flushed()
  expect(lines).toHaveLength(52)
  expect(visitorsIn(lines).size).toBe(Number(env.CROWD_LIMIT))
  expect(JSON.stringify(lines)).not.toContain('203.0.113')
  await accepted(from(await mint(), [click('a')]), { headers: { 'cf-connecting-ip': '198.51.100.1' } })
  expect(visitorsIn(await flushed()).size).toBe(Number(env.CROWD_LIMIT) + 1)
  const rows = async (): Promise<number> => {
    const counts = await Promise.all(
      eventLogs(env).map((log) =>
        runInDurableObject(log, (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM network_days').one().n),
      ),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }
  expect(await rows()).toBeGreaterThan(0)
  for (const log of eventLogs(env))
    await runInDurableObject(log, (_, { storage }) => void storage.sql.exec('UPDATE network_days SET day = day - 1'))
  await flushed()
  expect(await rows()).toBe(0)
})

test('a network is its /24 or /48, under another name every day', async () => {
  expect(['192.0.2.7', '192.0.2.250', '::ffff:192.0.2.1'].map(prefixOf)).toEqual(['192.0.2', '192.0.2', '192.0.2'])
  expect(['2001:db8:1::7', '2001:0DB8:0001:ffff:1:2:3:4', '2001:db8::1'].map(prefixOf)).toEqual(['2001:db8:1', '2001:db8:1', '2001:db8:0'])
  expect(['', 'unknown', '1.2.3', '127.0.0.1', '::1'].map(prefixOf)).toEqual([null, null, null, null, null])
  const request = new Request('https://edge.test', from24(7))
  const [today, again, tomorrow] = await Promise.all([NOW, NOW, NOW + 86_400_000].map((now) => networkOf(env, request, now)))
  expect(today).toMatch(/^[0-9a-f]{8}$/)
  expect([again === today, tomorrow === today]).toEqual([true, false])
})

describe('limits', () => {
  test('one visitor may post so often in a minute, and is told when to come back; a backend may more', async () => {
    const visitor = await mint()
    const limited = {
      ...env,
      VISITOR_LIMIT: { limit: ({ key }: { key: string }) => Promise.resolve({ success: key !== visitor }) } as RateLimit,
    }
    const refused = await postEvents(from(visitor, [click('a')]), {}, limited)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
    expect(await problemOf(refused)).toMatchObject({ status: 429, title: 'Too many requests' })
    expect((await postEvents(from(await mint(), [click('a')]), {}, limited)).status).toBe(202)
    const backend = { headers: { authorization: `Bearer ${env.ADMIN_KEY}` } }
    expect((await postEvents(from(visitor, [click('a')]), backend, limited)).status).toBe(202)
    expect(await flushed()).toHaveLength(2)
  })

  test('the platform’s own limiter holds, and one that fails keeps nobody out', async () => {
    const visitor = await mint()
    const statuses = new Set<number>()
    // The limiter's minute may end once while these are sent, and begins anew.
    for (let i = 0; i < 620 && !statuses.has(429); i++) statuses.add((await postEvents(from(visitor, [click('a')]))).status)
    expect([...statuses].sort()).toEqual([202, 429])
    const failing = { limit: () => Promise.reject(new Error('no limiter')) } as unknown as RateLimit
    expect((await postEvents(from(visitor, [click('a')]), {}, { ...env, VISITOR_LIMIT: failing, KEY_LIMIT: failing })).status).toBe(202)
  }, 60_000)
})

test('a bot that says it is one leaves no visitor, and its events are nobody’s', async () => {
  const agents = ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Baiduspider+', 'curl-crawler/1']
  const before = await visitorObjects()
  for (const agent of agents) {
    const answer = await accepted(from(await mint(), [click('a')]), { headers: { 'user-agent': agent } })
    expect(answer).not.toHaveProperty('token')
  }
  expect(await visitorObjects()).toBe(before)
  expect(visitorsIn(await flushed()).size).toBe(0)
  const people = ['Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 20) Mobile Safari/537.36', 'Mozilla/5.0 HeadlessChrome/140.0', '']
  for (const agent of people) expect(isDeclaredBot(new Request('https://edge.test', { headers: { 'user-agent': agent } }))).toBe(false)
})

test('a backend speaks for as many visitors as it has, from one address', async () => {
  const headers = { authorization: `Bearer ${env.ADMIN_KEY}`, 'cf-connecting-ip': '203.0.113.9' }
  for (let i = 0; i < 60; i++) await accepted(from(`user:${i}`, [click('a')]), { headers })
  expect(visitorsIn(await flushed()).size).toBe(60)
})

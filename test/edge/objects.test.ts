import { evictDurableObject, reset, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { REMEMBERED_ITEMS } from '../../shared/memory.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import { DENIED, UNDECIDED } from '../../workers/identity/consent.ts'
import type { EventLog } from '../../workers/objects/event-log.ts'
import { appendEvents, eventLogs } from '../../workers/objects/event-log-client.ts'
import { IDLE_LIFE_MS, MARK_AFTER_REFUSAL_MS } from '../../workers/objects/visitor.ts'
import { readVisitor, recordVisit, seedVisitor, visitorStub } from '../../workers/objects/visitor-client.ts'
import { newState, REMEMBERED_PURCHASES, remember, type VisitorItem } from '../../workers/objects/visitor-state.ts'
import { archive, failingNamespace } from './events-client.ts'

const HOUR_MS = 3_600_000
const YES: Consents = { personalisation: 'granted', learning: 'granted' }
const NOW = Date.UTC(2026, 10, 23, 18, 30)

let visitors = 0
const someone = (eu = false): { hash: string; eu: boolean } => ({ hash: (++visitors).toString(16).padStart(16, '0'), eu })
const seen = (id: string, at: number, deed: VisitorItem['deed'] = 0): VisitorItem => ({ id, deed, at })

afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await reset()
})

describe('what a visitor’s object remembers', () => {
  const items = fc.record({
    id: fc.constantFrom(...Array.from({ length: 80 }, (_, i) => `item-${i}`)),
    deed: fc.constantFrom(0 as const, 1 as const, 2 as const),
    at: fc.integer({ min: 0, max: 1000 }),
  })

  test('distinct items, newest first, bounded, each with its most committed deed', () => {
    fc.assert(
      fc.property(fc.array(fc.array(items, { maxLength: 40 }), { maxLength: 8 }), (visits) => {
        const state = visits.reduce((before, deeds, i) => remember(before, deeds, i), newState(YES, 0))
        const ids = state.items.map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.length).toBeLessThanOrEqual(REMEMBERED_ITEMS)
        expect(state.items.map(({ at }) => at)).toEqual(state.items.map(({ at }) => at).sort((a, b) => b - a))
        const all = visits.flat()
        if (new Set(all.map(({ id }) => id)).size <= REMEMBERED_ITEMS)
          for (const { id, deed, at } of state.items) {
            expect(deed).toBe(Math.max(...all.filter((item) => item.id === id).map((item) => item.deed)))
            expect(at).toBe(Math.max(...all.filter((item) => item.id === id).map((item) => item.at)))
          }
        expect(new Set(state.purchased)).toEqual(new Set(all.filter(({ deed }) => deed === 2).map(({ id }) => id)))
      }),
      { numRuns: 100 },
    )
  })

  test('purchases longer than looks, but not without end', () => {
    const bought = Array.from({ length: 250 }, (_, i) => seen(`bought-${i}`, i, 2))
    const looked = Array.from({ length: 60 }, (_, i) => seen(`looked-${i}`, 1000 + i))
    const state = [bought, looked].reduce((before, deeds, i) => remember(before, deeds, i), newState(YES, 0))
    expect(state.items.every(({ id }) => id.startsWith('looked'))).toBe(true)
    expect(state.purchased).toHaveLength(REMEMBERED_PURCHASES)
    expect(state.purchased[0]).toBe('bought-249')
  })

  test('it survives the object’s memory, in one row', async () => {
    for (const identity of [someone(), someone(true)]) {
      await recordVisit(env, identity, [seen('a', 1)], YES, NOW)
      await recordVisit(env, identity, [seen('b', 2)], YES, NOW + 1)
      const stub = visitorStub(env, identity)
      await evictDurableObject(stub)
      expect((await readVisitor(env, identity))?.items.map(({ id }) => id)).toEqual(['b', 'a'])
      const rows = await runInDurableObject(stub, (_, { storage }) => storage.sql.exec('SELECT count(*) AS n FROM visitor').one().n)
      expect(rows).toBe(1)
    }
  })

  test('objects of EU visitors are asked for in the EU, and only those; a runtime that knows no EU keeps them all the same', () => {
    const asked: string[] = []
    const knowing = (jurisdiction: (name: string) => typeof env.VISITORS): Env => ({
      ...env,
      VISITORS: new Proxy(env.VISITORS, {
        get: (target, property) => {
          if (property === 'jurisdiction') return jurisdiction
          const value = Reflect.get(target, property) as unknown
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    })
    const platform = knowing((name) => {
      asked.push(name)
      return env.VISITORS
    })
    visitorStub(platform, someone())
    expect(asked).toEqual([])
    visitorStub(platform, someone(true))
    expect(asked).toEqual(['eu'])
    const simple = knowing(() => {
      throw new Error('Jurisdiction restrictions are not implemented')
    })
    const identity = someone(true)
    expect(visitorStub(simple, identity).id.toString()).toBe(visitorStub(env, { ...identity, eu: false }).id.toString())
  })

  test('a look leaves nothing behind', async () => {
    const identity = someone()
    expect(await readVisitor(env, identity)).toBeNull()
    const tables = await runInDurableObject(visitorStub(env, identity), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'visitor'").toArray(),
    )
    expect(tables).toEqual([])
  })

  test('an imported history starts an object, and never takes the place of a past or of an erasure', async () => {
    const identity = someone()
    expect(await seedVisitor(env, identity, [seen('old', 1, 2)], YES, NOW)).toBe(true)
    expect(await readVisitor(env, identity)).toMatchObject({ items: [{ id: 'old' }], purchased: ['old'] })
    expect(await seedVisitor(env, identity, [seen('older', 0, 2)], YES, NOW)).toBe(false)
    await visitorStub(env, identity).erase(Date.now() + HOUR_MS)
    expect(await seedVisitor(env, identity, [seen('old', 1, 2)], YES, Date.now())).toBe(false)
    // "Said no" rather than "unknown": the reader must not look for an imported history either.
    expect(await readVisitor(env, identity)).toMatchObject({ consent: DENIED, items: [] })
  })

  test('an erasure leaves a mark without a past, and in the end not even that', async () => {
    const identity = someone()
    const stub = visitorStub(env, identity)
    await recordVisit(env, identity, [seen('secret', 1)], YES, Date.now())
    const until = Date.now() + HOUR_MS
    await stub.erase(until)
    const rows = await runInDurableObject(stub, (_, { storage }) => storage.sql.exec('SELECT * FROM visitor').toArray())
    expect(rows).toEqual([{ id: 1, json: null, erased_until: until }])
    vi.useFakeTimers({ toFake: ['Date'], now: until + 1 })
    // Nothing is refused any more, but the mark still bars an imported history, which a roll-back may bring up again.
    expect(await readVisitor(env, identity)).toMatchObject({ consent: UNDECIDED, items: [] })
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await seedVisitor(env, identity, [seen('imported', 1)], YES, Date.now())).toBe(false)
    vi.setSystemTime(until + MARK_AFTER_REFUSAL_MS)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await tablesOf(stub)).toEqual([])
  })

  test('who does not come back is forgotten; who does is not', async () => {
    const start = Date.now()
    const gone = someone()
    const loyal = someone()
    for (const identity of [gone, loyal]) await recordVisit(env, identity, [seen('a', 1)], YES, start)
    await recordVisit(env, loyal, [seen('b', 2)], YES, start + IDLE_LIFE_MS - HOUR_MS)
    vi.useFakeTimers({ toFake: ['Date'], now: start + IDLE_LIFE_MS })
    for (const identity of [gone, loyal]) expect(await runDurableObjectAlarm(visitorStub(env, identity))).toBe(true)
    expect(await tablesOf(visitorStub(env, gone))).toEqual([])
    expect((await readVisitor(env, loyal))?.items).toHaveLength(2)
    const next = await runInDurableObject(visitorStub(env, loyal), (_, { storage }) => storage.getAlarm())
    expect(next).toBe(start + 2 * IDLE_LIFE_MS - HOUR_MS)
  })

  test('an object that throws reads as nothing known', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const broken = { ...env, VISITORS: failingNamespace(env.VISITORS) }
    for (const identity of [someone(), someone(true)]) {
      expect(await readVisitor(broken, identity)).toBeNull()
      expect(await recordVisit(broken, identity, [seen('a', 1)], YES, NOW)).toBeNull()
      expect(await seedVisitor(broken, identity, [seen('a', 1)], YES, NOW)).toBe(false)
    }
  })
})

const tablesOf = (stub: DurableObjectStub): Promise<unknown[]> =>
  runInDurableObject(stub, (_, { storage }) => storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'visitor'").toArray())

describe('the event log', () => {
  const line = (id: string, more: object = {}): string =>
    `${JSON.stringify({ v: 1, id, type: 'click', item: `item of ${id}`, at: NOW, received: NOW, visitor: null, country: 'GB', ...more })}\n`
  let log: DurableObjectStub<EventLog>
  beforeEach(() => {
    log = eventLogs(env)[0]
  })

  const ids = async (): Promise<string[]> => (await archive()).lines.map(({ id }) => id)
  /** Numbers of the posts that the object still holds, whether they wait or not. */
  const held = (): Promise<SqlStorageValue[]> =>
    runInDurableObject(log, (_, { storage }) =>
      storage.sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name LIKE 'posts%'")
        .toArray()
        .flatMap(({ name }) => storage.sql.exec<{ seq: number }>(`SELECT seq FROM ${name}`).toArray())
        .map(({ seq }) => seq)
        .sort((a, b) => a - b),
    )
  const alarmIn = (): Promise<number> =>
    runInDurableObject(log, async (_, { storage }) => ((await storage.getAlarm()) ?? Number.NaN) - Date.now())

  /** Lets this instance's writes to R2 fail: before the file is there, or only after it is. */
  const breakArchive = (when: 'before' | 'after'): Promise<void> =>
    runInDurableObject(log, (instance) => {
      const put = async (...args: Parameters<R2Bucket['put']>): Promise<never> => {
        if (when === 'after') await env.EVENTS.put(...args)
        throw new Error('R2 was cut off')
      }
      Reflect.set(instance, 'env', { ...env, EVENTS: { put } })
    })

  const failureOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'none',
      (error: unknown) => String(error),
    )

  test('keeps a post until its alarm writes it out, in order, under a key that names day, hour, shard and range', async () => {
    for (const id of ['e1', 'e2', 'e3']) await log.append(line(id), NOW)
    expect(await ids()).toEqual([])
    expect(await alarmIn()).toBeGreaterThan(50_000)
    expect(await alarmIn()).toBeLessThanOrEqual(60_000)
    expect(await runDurableObjectAlarm(log)).toBe(true)
    const { keys } = await archive()
    expect(keys).toEqual([`events/date=2026-11-23/hour=18/${log.id.toString().slice(0, 16)}-1-3.ndjson`])
    expect(await ids()).toEqual(['e1', 'e2', 'e3'])
    expect(await held()).toEqual([])
  })

  test('never uses a range again, even after everything was written', async () => {
    await log.append(line('e1'), NOW)
    expect(await log.flush()).toBe(1)
    await evictDurableObject(log)
    await log.append(line('e2'), NOW)
    expect(await log.flush()).toBe(1)
    expect(await log.flush()).toBe(0)
    expect((await archive()).keys.map((key) => key.slice(key.lastIndexOf('/') + 18))).toEqual(['1-1.ndjson', '2-2.ndjson'])
  })

  test('survives losing its memory', async () => {
    await log.append(line('e1'), NOW)
    await evictDurableObject(log)
    expect(await log.flush()).toBe(1)
    expect(await ids()).toEqual(['e1'])
  })

  test('a crash between file and deletion repeats the same file, whatever came since', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    for (const id of ['e1', 'e2']) await log.append(line(id), NOW)
    await breakArchive('after')
    const failure = await runInDurableObject(log, (instance) => failureOf(instance.flush()))
    expect(failure).toContain('cut off')
    expect(await ids()).toEqual(['e1', 'e2'])
    await evictDurableObject(log)
    await log.append(line('e3'), NOW)
    expect(await log.flush()).toBe(3)
    expect((await archive()).keys).toHaveLength(2)
    expect(await ids()).toEqual(['e1', 'e2', 'e3'])
    expect(await held()).toEqual([])
    expect(await log.waiting()).toBe(0)
  })

  test('keeps everything while R2 takes nothing, and asks again ever more rarely', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await log.append(line('e1'), NOW)
    await breakArchive('before')
    const waits: number[] = []
    for (let i = 0; i < 9; i++) {
      await runDurableObjectAlarm(log)
      waits.push(Math.round((await alarmIn()) / 1000))
    }
    expect(waits).toEqual([15, 30, 60, 120, 240, 480, 900, 900, 900])
    await log.append(line('e2'), NOW)
    expect(await held()).toEqual([1, 2])
    expect(await log.waiting()).toBe(2)
    await evictDurableObject(log)
    expect(await runDurableObjectAlarm(log)).toBe(true)
    expect(await ids()).toEqual(['e1', 'e2'])
  })

  test('in every state between two flushes, losing its memory loses and doubles nothing', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const sent: string[] = []
    const append = async (): Promise<void> => {
      sent.push(`e${sent.length}`)
      await log.append(line(sent[sent.length - 1]), NOW + (sent.length % 3 === 0 ? HOUR_MS : 0))
    }
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i <= round; i++) await append()
      await evictDurableObject(log)
      if (round % 2 === 0) await append()
      await breakArchive(round % 3 === 0 ? 'before' : 'after')
      expect(await runInDurableObject(log, (instance) => failureOf(instance.flush()))).toContain('cut off')
      await append()
      await evictDurableObject(log)
      await append()
      const waited = await log.waiting()
      expect(waited).toBe((await held()).length)
      expect(await log.flush()).toBe(waited)
      expect(await held()).toEqual([])
      expect((await ids()).sort()).toEqual([...sent].sort())
    }
  })

  describe('a shard as it was before', () => {
    const asBefore = (posts: number, begun: { last: number; key: string } | null, gone: number): Promise<void> =>
      runInDurableObject(log, (_, { storage: { sql } }) => {
        sql.exec('DROP TABLE posts_0; DROP TABLE archived')
        sql.exec(`
          CREATE TABLE posts (seq INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, lines TEXT NOT NULL);
          CREATE TABLE flush (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, key TEXT NOT NULL, attempts INTEGER NOT NULL)`)
        for (let i = 1; i <= gone + posts; i++) sql.exec('INSERT INTO posts (received, lines) VALUES (?, ?)', NOW, line(`old-${i}`))
        sql.exec('DELETE FROM posts WHERE seq <= ?', gone)
        if (begun !== null) sql.exec('INSERT INTO flush VALUES (?, ?, ?, 1)', gone + 1, begun.last, begun.key)
      })
    const names = async (): Promise<string[]> => (await archive()).keys.map((key) => key.slice(key.lastIndexOf('/') + 18))

    test.each([
      { what: 'with posts and a flush that was cut off', posts: 3, begun: 5, expected: ['4-5.ndjson', '6-6.ndjson', '7-7.ndjson'] },
      { what: 'with a flush that was cut off over all posts', posts: 3, begun: 6, expected: ['4-6.ndjson', '7-7.ndjson'] },
      { what: 'with posts', posts: 3, begun: 0, expected: ['4-6.ndjson', '7-7.ndjson'] },
      { what: 'with nothing that waits', posts: 0, begun: 0, expected: ['4-4.ndjson'] },
    ])('$what goes on where it was', async ({ posts, begun, expected }) => {
      const key = `events/date=2026-11-23/hour=18/${log.id.toString().slice(0, 16)}-4-${begun}.ndjson`
      await asBefore(posts, begun > 0 ? { last: begun, key } : null, 3)
      await evictDurableObject(log)
      expect(await log.waiting()).toBe(posts)
      expect(await log.flush()).toBe(posts)
      expect(await held()).toEqual([])
      await log.append(line('new'), NOW)
      expect(await log.flush()).toBe(1)
      expect(await held()).toEqual([])
      expect(await names()).toEqual(expected)
      expect(await ids()).toEqual([...Array.from({ length: posts }, (_, i) => `old-${4 + i}`), 'new'])
    })
  })

  test('flushes that meet write nothing twice', async () => {
    for (const id of ['e1', 'e2', 'e3']) await log.append(line(id), NOW)
    const counts = await Promise.all([log.flush(), log.flush(), log.append(line('e4'), NOW).then(() => log.flush())])
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(await ids()).toEqual(['e1', 'e2', 'e3', 'e4'])
  })

  test('puts each hour in a file of its own, and big posts in several', async () => {
    await log.append(line('e1'), NOW)
    await log.append(line('e2'), NOW + HOUR_MS)
    for (let i = 0; i < 5; i++) await log.append(line(`big-${i}`, { name: 'x'.repeat(1_500_000) }), NOW + HOUR_MS)
    expect(await log.flush()).toBe(7)
    const { keys } = await archive()
    expect(keys.map((key) => key.slice(key.indexOf('hour='), key.lastIndexOf('/')))).toEqual([
      'hour=18',
      ...Array(keys.length - 1).fill('hour=19'),
    ])
    expect(keys.length).toBeGreaterThan(3)
    expect(await ids()).toEqual(['e1', 'e2', 'big-0', 'big-1', 'big-2', 'big-3', 'big-4'])
  })

  test('a line that trends cannot read does not keep the others from the archive', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    await log.append('no json\n', NOW)
    expect(await log.flush()).toBe(1)
    expect(await held()).toEqual([])
  })

  test('when a shard fails, another takes the events; when all fail, the caller hears of it', async () => {
    const failing = failingNamespace(env.EVENT_LOGS)
    let stubs = 0
    const oneFails = new Proxy(env.EVENT_LOGS, {
      get: (target, property) => {
        const source = property === 'get' && stubs++ % 2 === 0 ? failing : target
        const value = Reflect.get(source, property) as unknown
        return typeof value === 'function' ? value.bind(source) : value
      },
    })
    const two = { ...env, EVENT_LOG_SHARDS: '2' } as unknown as Env
    for (let i = 0; i < 10; i++) await appendEvents({ ...two, EVENT_LOGS: oneFails }, line(`e${i}`), NOW, { eu: false })
    await Promise.all(eventLogs(env).map((shard) => shard.flush()))
    expect((await ids()).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `e${i}`))
    await expect(appendEvents({ ...env, EVENT_LOGS: failing }, line('late'), NOW, { eu: false })).rejects.toThrow('broken')
  })
})

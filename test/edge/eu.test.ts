import { reset, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseOverlay } from '../../shared/overlay.ts'
import { visitorHash } from '../../shared/pseudonym.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { enforceRetention } from '../../workers/cron/retention.ts'
import { runCron } from '../../workers/cron/scheduled.ts'
import { appendEvents, eventLogs } from '../../workers/objects/event-log-client.ts'
import { accepted, bearer, call, click, from, mint, post, postEvents } from './events-client.ts'

const IN_EU = { cf: { country: 'FR', isEUCountry: '1' } as CfProperties }
const ABROAD = { cf: { country: 'US' } as CfProperties }

beforeEach(() => reset())
afterEach(async () => {
  vi.restoreAllMocks()
  await reset()
})

/** What lies in a bucket under a prefix, as JSON lines. */
async function lines(bucket: R2Bucket, prefix = 'events/'): Promise<{ type: string; item?: string; visitor?: string }[]> {
  const { objects } = await bucket.list({ prefix })
  const texts = await Promise.all(objects.map(async ({ key }) => (await bucket.get(key))?.text() ?? ''))
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line))
}
const flush = (bindings: Env = env): Promise<unknown> => call('/v1/admin/flush', { method: 'POST', ...bearer(env.ADMIN_KEY) }, bindings)
const items = async (bucket: R2Bucket): Promise<string[]> => (await lines(bucket)).flatMap(({ item }) => item ?? []).sort()
/** A deployment that has no bucket in the EU. */
const withoutEu = { ...env, EVENTS_EU: undefined } as unknown as Env
const nobody = (item: string): object => ({ writeKey: env.WRITE_KEY, consent: 'denied', events: [click(item)] })

describe('what visitors of the EU do', () => {
  test('is archived in the EU, wherever they are by then; without an id it goes by where it happens', async () => {
    const [european, american] = [await mint(true), await mint(false)]
    await accepted(from(european, [click('at-home')]), IN_EU)
    await accepted(from(european, [click('on-a-journey')]), ABROAD)
    await accepted(from(american, [click('at-home-us')]), ABROAD)
    await accepted(from(american, [click('visiting')]), IN_EU)
    await accepted(nobody('nobody-eu'), IN_EU)
    await accepted(nobody('nobody-us'), ABROAD)
    await flush()
    expect(await items(env.EVENTS_EU)).toEqual(['at-home', 'nobody-eu', 'on-a-journey'])
    expect(await items(env.EVENTS)).toEqual(['at-home-us', 'nobody-us', 'visiting'])
  })

  test('is remembered under one pseudonym at home and on a journey', async () => {
    const { visitor } = await (await post('/v1/visitors', { writeKey: env.WRITE_KEY, consent: 'granted' }, IN_EU)).json<{
      visitor: string
    }>()
    await accepted(from(visitor, [click('a')]), IN_EU)
    await accepted(from(visitor, [click('b')]), ABROAD)
    const held = await (await call('/v1/visitors/me', { ...bearer(visitor), ...ABROAD })).json<{
      items: { id: string }[]
      pseudonym: string
    }>()
    expect(held.items.map(({ id }) => id)).toEqual(['b', 'a'])
    await flush()
    expect((await lines(env.EVENTS_EU)).map((line) => line.visitor)).toEqual([held.pseudonym, held.pseudonym])
  })

  test('that fits no contract waits in quarantine there', async () => {
    await accepted(from(await mint(true), [{ id: 'event-bad-1', type: 'stare' }]), ABROAD)
    await flush()
    expect(await lines(env.EVENTS_EU, 'quarantine/')).toHaveLength(1)
    expect(await lines(env.EVENTS, 'quarantine/')).toEqual([])
  })

  test('is erased and joined there: those lines name the visitor too', async () => {
    const [gone, joining] = [await mint(true), await mint(true)]
    for (const visitor of [gone, joining]) await accepted(from(visitor, [click('a')]), ABROAD)
    await call('/v1/visitors/me', { method: 'DELETE', ...bearer(gone), ...ABROAD })
    const into = await sign({ sub: 'anna', exp: Math.floor(Date.now() / 1000) + 600 }, env.IDENTITY_KEY, 'HS256')
    expect((await post('/v1/visitors/merge', { writeKey: env.WRITE_KEY, from: joining, into }, ABROAD)).status).toBe(200)
    await flush()
    expect((await lines(env.EVENTS_EU)).map(({ type }) => type).sort()).toEqual(['click', 'click', 'erasure', 'merge'])
    const elsewhere = JSON.stringify(await lines(env.EVENTS))
    for (const visitor of [gone, joining]) expect(elsewhere).not.toContain(await visitorHash(env.ID_KEY, visitor))
  })

  test('trends together with what all others do, and the cron writes it out', async () => {
    for (const eu of [true, true, false]) await accepted(from(await mint(eu), [click('wanted')]), ABROAD)
    await runCron(env, { waitUntil: () => undefined }, Date.now())
    expect(parseOverlay((await env.RELEASES.get(OVERLAY_KEY)) ?? '')?.trending['*']).toEqual([{ item: 'wanted', score: 1 }])
    expect([await items(env.EVENTS_EU), await items(env.EVENTS)]).toEqual([['wanted', 'wanted'], ['wanted']])
  })

  test('has its time in both archives, and in both quarantines, a part at each run of the cron', async () => {
    const old = Date.now() - 40 * 86_400_000
    const day = new Date(old).toISOString().slice(0, 10)
    const line = (type: string): string => `${JSON.stringify({ v: 1, type, received: old, visitor: null })}\n`
    for (const bucket of [env.EVENTS, env.EVENTS_EU]) {
      await bucket.put(`events/date=${day}/hour=00/s-1-1.ndjson`, line('click') + line('purchase'))
      await bucket.put(`quarantine/date=${day}/hour=00/s-1-1.ndjson`, line('rejected'))
    }
    const kept = { ...env, RETENTION_DAYS: 'click=30,rejected=30,other=400' } as unknown as Env
    for (let run = 0; run < 4; run++) await enforceRetention(kept, Date.now() + run * 300_000)
    for (const bucket of [env.EVENTS, env.EVENTS_EU]) {
      expect((await lines(bucket)).map(({ type }) => type)).toEqual(['purchase'])
      expect(await lines(bucket, 'quarantine/')).toEqual([])
    }
  })
})

describe('the shards of the EU', () => {
  test('are asked for in the EU’s jurisdiction, and no others are', async () => {
    const asked: string[] = []
    const EVENT_LOGS = new Proxy(env.EVENT_LOGS, {
      get: (target, property) => {
        if (property === 'jurisdiction')
          return (name: string) => {
            asked.push(name)
            return target
          }
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    await appendEvents({ ...env, EVENT_LOGS }, '{}\n', Date.now(), { eu: false })
    expect(asked).toEqual([])
    await appendEvents({ ...env, EVENT_LOGS }, '{}\n', Date.now(), { eu: true })
    expect(asked).toEqual(['eu'])
    expect(new Set(eventLogs(env).map(({ id }) => id.toString())).size).toBe(2 * Number(env.EVENT_LOG_SHARDS))
  })

  test('that fail are stood in for by nobody else: nothing is acknowledged, and nothing leaves the EU', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const eu = new Set(
      eventLogs(env)
        .slice(Number(env.EVENT_LOG_SHARDS))
        .map(({ id }) => id.toString()),
    )
    const EVENT_LOGS = new Proxy(env.EVENT_LOGS, {
      get: (target, property) => {
        if (property === 'get')
          return (id: DurableObjectId) => {
            if (eu.has(id.toString())) throw new Error('the EU is out of reach')
            return target.get(id)
          }
        const value = Reflect.get(target, property) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const broken = { ...env, EVENT_LOGS } as Env
    expect((await postEvents(from(await mint(true), [click('a')]), ABROAD, broken)).status).toBe(503)
    expect((await postEvents(from(await mint(false), [click('b')]), ABROAD, broken)).status).toBe(202)
    await flush()
    expect([await items(env.EVENTS_EU), await items(env.EVENTS)]).toEqual([[], ['b']])
  })

  test('keep what they hold while their bucket is not bound, and write it there when it is again', async () => {
    await accepted(from(await mint(true), [click('a')]), ABROAD)
    for (const log of eventLogs(env)) {
      await runInDurableObject(log, async (object, state) => {
        const unbound = new (object.constructor as new (ctx: DurableObjectState, bindings: Env) => { flush(): Promise<number> })(
          state,
          withoutEu,
        )
        await unbound.flush().catch((error: Error) => expect(error.message).toContain('EVENTS_EU is not bound'))
      })
    }
    expect([await items(env.EVENTS_EU), await items(env.EVENTS)]).toEqual([[], []])
    await flush()
    expect([await items(env.EVENTS_EU), await items(env.EVENTS)]).toEqual([['a'], []])
  })
})

test('a deployment without a bucket in the EU has one log and one archive for all, as before', async () => {
  expect((await postEvents(from(await mint(true), [click('a')]), IN_EU, withoutEu)).status).toBe(202)
  expect(eventLogs(withoutEu)).toHaveLength(Number(env.EVENT_LOG_SHARDS))
  await flush(withoutEu)
  expect([await items(env.EVENTS_EU), await items(env.EVENTS)]).toEqual([[], ['a']])
  await enforceRetention(withoutEu, Date.now())
})

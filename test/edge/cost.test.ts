import { createExecutionContext, reset, runDurableObjectAlarm, runInDurableObject, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import table from '../../batch/cost/measured.json'
import { visitorHash } from '../../shared/pseudonym.ts'
import { runCron } from '../../workers/cron/scheduled.ts'
import { auditLog } from '../../workers/objects/audit-log-client.ts'
import { eventLogs } from '../../workers/objects/event-log-client.ts'
import { liveState } from '../../workers/objects/live-state-client.ts'
import { visitorStub } from '../../workers/objects/visitor-client.ts'
import { ask, type Changes, click, cold, GB, newVisitor, publish } from './fixtures/edge.ts'
import { buildTinyRelease, ITEMS, type TinyRelease } from './fixtures/tiny-release.ts'

/**
 * What each kind of request costs in operations that are billed, counted in the running Worker: `batch/cost/measured.json`
 * must say the same.
 */
type Count = Record<string, number>

let release: TinyRelease
let counted: Count = {}
const add = (metric: string, by = 1): void => {
  counted[metric] = (counted[metric] ?? 0) + by
}

/** A binding whose methods are counted under the metric that they are billed as. */
const counting = <T extends object>(binding: T, metrics: Record<string, string>): T =>
  new Proxy(binding, {
    get: (target, property) => {
      const value = Reflect.get(target, property) as unknown
      if (typeof value !== 'function') return value
      const metric = metrics[String(property)]
      return (...given: unknown[]) => {
        // A bulk read is billed by key.
        if (metric !== undefined) add(metric, Array.isArray(given[0]) ? given[0].length : 1)
        return Reflect.apply(value, target, given) as unknown
      }
    },
  })

/** Every method that is called on an object's stub is a request to the object. */
const countingObjects = <T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>): DurableObjectNamespace<T> =>
  new Proxy(namespace, {
    get: (target, property) => {
      if (property === 'jurisdiction') return () => countingObjects(target)
      const value = Reflect.get(target, property) as unknown
      if (typeof value !== 'function') return value
      if (property !== 'get') return value.bind(target)
      return (id: DurableObjectId) =>
        new Proxy(target.get(id), {
          get: (stub, method) => {
            const own = Reflect.get(stub, method) as (...given: unknown[]) => unknown
            return (...given: unknown[]) => {
              add('object-ops')
              return Reflect.apply(own, stub, given)
            }
          },
        })
    },
  })

const KV = { get: 'kv-ops', getWithMetadata: 'kv-ops', put: 'kv-writes', delete: 'kv-deletes', list: 'kv-lists' }
const R2 = { get: 'r2-ops', head: 'r2-ops', put: 'r2-writes', list: 'r2-writes', delete: 'r2-deletes' }
const watched = (): Changes => ({
  RELEASES: counting(env.RELEASES, KV),
  EVENTS: counting(env.EVENTS, R2),
  EVENTS_EU: counting(env.EVENTS_EU, R2),
  VISITORS: countingObjects(env.VISITORS),
  EVENT_LOGS: countingObjects(env.EVENT_LOGS),
  LIVE_STATE: countingObjects(env.LIVE_STATE),
})

const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []

/** Counts the rows that an object's statements read and write from now on; setting an alarm is billed as a row. */
async function watchRows(stub: DurableObjectStub): Promise<void> {
  await runInDurableObject(stub, (instance, { storage }) => {
    const { sql } = storage
    const exec = sql.exec.bind(sql)
    const setAlarm = storage.setAlarm.bind(storage)
    Object.assign(sql, {
      exec: (...statement: Parameters<typeof exec>) => {
        const cursor = exec(...statement)
        cursors.push(cursor)
        return cursor
      },
    })
    Object.assign(storage, {
      setAlarm: (...at: Parameters<typeof setAlarm>) => {
        add('rows-written')
        return setAlarm(...at)
      },
    })
    const bound = instance as unknown as { env: Env }
    bound.env = { ...env, EVENTS: counting(env.EVENTS, R2), RELEASES: counting(env.RELEASES, KV) }
  })
}

/** What `work` takes, every billed operation by its metric. */
async function costOf(work: () => Promise<unknown>): Promise<Count> {
  counted = {}
  cursors.length = 0
  await work()
  for (const { rowsRead, rowsWritten } of cursors) {
    add('rows-read', rowsRead)
    add('rows-written', rowsWritten)
  }
  return Object.fromEntries(Object.entries(counted).filter(([, value]) => value > 0))
}

const said = (scenario: string): Count =>
  Object.fromEntries(
    table.operations.rows.filter((row) => row.scenario === scenario).map(({ metric, value }): [string, number] => [metric, value]),
  )

/** Where they differ, the difference is what to put into the table. */
const same = (scenario: string, count: Count): void => expect({ [scenario]: count }).toEqual({ [scenario]: said(scenario) })

const post = (path: string, body: object): Promise<Response> =>
  ask(path, { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }), cf: GB }, watched())

let sent = 0
const clicked = (visitor: string, item: string): Promise<Response> =>
  post('/v1/events', { visitor, consent: 'granted', events: [{ id: `cost-${String(++sent).padStart(21, '0')}`, type: 'click', item }] })

const objectOf = async (visitor: string): Promise<DurableObjectStub> =>
  visitorStub(env, { hash: await visitorHash(env.ID_KEY, visitor), eu: false })

beforeAll(async () => {
  release = await buildTinyRelease({ packRows: ITEMS })
})
beforeEach(() => publish(release))
afterEach(async () => {
  vi.useRealTimers()
  await reset()
})

describe('a warm isolate', () => {
  test('ranks from the token, shows lists and similar items without any operation', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, ...release.itemIds.slice(3, 9))
    const ranked = () => post('/v1/recommendations', { visitor, token })
    const list = () => ask('/v1/lists/GB/popular', {}, watched())
    const similar = () => ask(`/v1/items/${release.itemIds[3]}/similar`, {}, watched())
    for (const warm of [ranked, list, similar]) await warm()
    same('token', await costOf(ranked))
    same('list', await costOf(list))
    same('similar', await costOf(similar))
  })

  test('reads the object once where there is no token', async () => {
    const visitor = await newVisitor()
    await click(visitor, ...release.itemIds.slice(3, 9))
    const ranked = () => post('/v1/recommendations', { visitor, consent: 'granted' })
    await ranked()
    await watchRows(await objectOf(visitor))
    same('object', await costOf(ranked))
  })

  test('tells the log and the visitor’s object of an event; the first one makes the object', async () => {
    const visitor = await newVisitor()
    const stub = await objectOf(visitor)
    // Every shard waits for its flush already, as in a busy hour.
    for (const log of eventLogs(env)) await log.append('', Date.now())
    for (const object of [stub, ...eventLogs(env)]) await watchRows(object)
    same('first-event', await costOf(() => clicked(visitor, release.itemIds[3])))
    same('event', await costOf(() => clicked(visitor, release.itemIds[4])))
  })
})

test('an archived event takes so many bytes', async () => {
  const visitor = await newVisitor()
  const archived = async (): Promise<number> => {
    await Promise.all(eventLogs(env).map((log) => log.flush()))
    const { objects } = await env.EVENTS.list({ prefix: 'events/' })
    return objects.reduce((bytes, { size }) => bytes + size, 0)
  }
  for (let i = 0; i < 10; i++) await clicked(visitor, release.itemIds[i])
  same('post', { bytes: Math.round((await archived()) / 10) })
})

test('a look whether the visitor came back costs so much', async () => {
  const visitor = await newVisitor()
  await click(visitor, release.itemIds[3])
  const stub = await objectOf(visitor)
  await watchRows(stub)
  same(
    'visitor-alarm',
    await costOf(async () => {
      add('object-ops')
      await runDurableObjectAlarm(stub)
    }),
  )
})

test('a visitor’s object takes so many bytes', async () => {
  const visitor = await newVisitor()
  for (let i = 0; i < 50; i++) await click(visitor, release.itemIds[i])
  const bytes = await runInDurableObject(await objectOf(visitor), (_, { storage }) => storage.sql.databaseSize)
  same('visitor', { bytes })
})

test('a flush of a shard costs so much by itself, and so much for each post', async () => {
  const [log] = eventLogs(env)
  await watchRows(log)
  const line = (i: number): string =>
    `${JSON.stringify({ v: 1, id: `line-${i}`, type: 'click', item: release.itemIds[i % 9], visitor: `visitor-${i}`, country: 'GB' })}\n`
  const append = (i: number) => costOf(() => log.append(line(i), Date.now()))
  const flushOf = async (posts: number): Promise<Count> => {
    const first = await append(0)
    for (let i = 1; i < posts; i++) await log.append(line(i), Date.now())
    // The first post of a minute sets the alarm; the others do not.
    const alarm = (first['rows-written'] ?? 0) - ((await append(posts))['rows-written'] ?? 0)
    return costOf(async () => {
      add('rows-written', alarm)
      // An alarm is a request to the object.
      add('object-ops')
      await runDurableObjectAlarm(log)
    })
  }
  await flushOf(1)
  const one = await flushOf(1)
  const many = await flushOf(11)
  const each = Object.fromEntries(
    Object.entries(many)
      .map(([metric, value]): [string, number] => [metric, (value - (one[metric] ?? 0)) / 10])
      .filter(([, value]) => value > 0),
  )
  same('post-flushed', each)
  same(
    'flush',
    Object.fromEntries(
      Object.entries(one)
        .map(([metric, value]): [string, number] => [metric, value - (each[metric] ?? 0)])
        .filter(([, value]) => value > 0),
    ),
  )
})

test('a change of the catalogue takes so much where no other shares its second', async () => {
  const change = (price: number): Promise<Response> =>
    ask(
      '/v1/items',
      {
        method: 'PUT',
        body: JSON.stringify({ items: [{ id: release.itemIds[3], price }] }),
        headers: { authorization: `Bearer ${env.ADMIN_KEY}` },
      },
      { ...watched(), AUDIT_LOG: countingObjects(env.AUDIT_LOG) },
    )
  await change(1)
  await runDurableObjectAlarm(liveState(env))
  await scheduler.wait(1000)
  for (const object of [liveState(env), auditLog(env)]) await watchRows(object)
  same(
    'change',
    await costOf(async () => {
      await change(2)
      // An alarm is a request to the object.
      add('object-ops')
      await runDurableObjectAlarm(liveState(env))
    }),
  )
})

test('the cron asks every shard', async () => {
  const ctx = createExecutionContext()
  await runCron(env, ctx, Date.now())
  for (const object of [liveState(env), ...eventLogs(env)]) await watchRows(object)
  same(
    'cron',
    await costOf(async () => {
      await runCron({ ...env, ...watched() }, ctx, Date.now())
      await waitOnExecutionContext(ctx)
    }),
  )
})

test('a cold isolate reads so many keys, and a busy one so many an hour', async () => {
  const list = () => ask('/v1/lists/GB/popular', {}, watched())
  cold()
  same('cold', await costOf(list))
  vi.useFakeTimers({ toFake: ['Date'] })
  const minute = await costOf(async () => {
    for (let second = 0; second < 600; second++) {
      vi.setSystemTime(Date.now() + 1000)
      await list()
    }
  })
  same('isolate-hour', Object.fromEntries(Object.entries(minute).map(([metric, value]) => [metric, 6 * value])))
})

import { reset, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RejectedRecord } from '../../shared/schemas/events.ts'
import { eventLogs } from '../../workers/objects/event-log-client.ts'
import { accepted, archive, click, flushed, from, mint } from './events-client.ts'

beforeEach(() => reset())
// The next file must not find what this one archived.
afterEach(() => reset())

async function quarantine(): Promise<{ keys: string[]; records: RejectedRecord[] }> {
  const { objects } = await env.EVENTS.list({ prefix: 'quarantine/' })
  const keys = objects.map(({ key }) => key).sort()
  const texts = await Promise.all(keys.map(async (key) => (await env.EVENTS.get(key))?.text() ?? ''))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  return { keys, records: lines.map((line) => JSON.parse(line) as RejectedRecord) }
}

test('what does not fit goes to quarantine with its reason and place, and nothing of it to the archive', async () => {
  const sent = [click('a'), { id: 'event-of-tomorrow', v: 2, type: 'click', item: 'b' }, 'noise', click('c')]
  const { results } = await accepted(from(await mint(), sent))
  expect(results.map(({ status }) => status)).toEqual(['accepted', 'rejected', 'rejected', 'accepted'])
  expect((await flushed()).map((line) => 'item' in line && line.item)).toEqual(['a', 'c'])
  const { keys, records } = await quarantine()
  expect(keys).toEqual((await archive()).keys.map((key) => key.replace('events/', 'quarantine/')))
  expect(records).toMatchObject([
    {
      v: 1,
      type: 'rejected',
      offset: 'events[1]',
      field: 'events[1].v',
      detail: expect.stringContaining('must be 1'),
      event: JSON.stringify(sent[1]),
    },
    { offset: 'events[2]', field: 'events[2]', event: '"noise"' },
  ])
})

test('a flush that was cut off between the two files writes both again', async () => {
  await accepted(from(await mint(), [click('a'), { id: 'event-bad-9', type: 'stare' }]))
  const [log] = await Promise.all(
    eventLogs(env).map(async (one) => ({
      one,
      posts: await one.waiting(),
    })),
  ).then((shards) => shards.filter(({ posts }) => posts > 0))
  if (log === undefined) throw new Error('nothing was posted')
  await runInDurableObject(log.one, async (object, state) => {
    const half = {
      ...env,
      EVENTS: new Proxy(env.EVENTS, { get: (bucket, name) => (name === 'put' ? putFirst(bucket) : Reflect.get(bucket, name)) }),
    }
    const begun = new (object.constructor as new (ctx: DurableObjectState, bindings: Env) => { flush(): Promise<number> })(state, half)
    await expect(begun.flush()).rejects.toThrow('cut off')
  })
  expect((await quarantine()).records).toHaveLength(0)
  expect(await flushed()).toHaveLength(1)
  expect((await quarantine()).records).toHaveLength(1)
})

/** A bucket that takes the file of the archive and then no more. */
const putFirst =
  (bucket: R2Bucket) =>
  (key: string, text: string): Promise<unknown> =>
    key.startsWith('quarantine/') ? Promise.reject(new Error('cut off')) : bucket.put(key, text)

test('events of GA4 and Segment are taken as they are', async () => {
  const answer = await accepted(
    from(await mint(), [
      {
        name: 'view_item_list',
        params: {
          item_list_id: 'top',
          items: [
            { item_id: 'a', index: 0 },
            { item_id: 'b', index: 1 },
          ],
        },
      },
      { event: 'select_item', ecommerce: { item_list_id: 'top', items: [{ item_id: 'b', index: 1 }] } },
      {
        type: 'track',
        event: 'Order Completed',
        messageId: 'ajs-000001',
        properties: { order_id: 'o1', products: [{ product_id: 'b', price: 3 }] },
      },
    ]),
  )
  expect(answer.results.every(({ status }) => status === 'accepted')).toBe(true)
  expect(answer.results[2]?.id).toBe('ajs-000001')
  expect(answer).toHaveProperty('token')
  expect(await flushed()).toMatchObject([
    { type: 'impression', items: ['a', 'b'], positions: [1, 2], list: 'top' },
    { type: 'click', item: 'b', position: 2, list: 'top' },
    { type: 'purchase', id: 'ajs-000001', items: [{ item: 'b', price: 3 }], order: 'o1' },
  ])
})

test('the visitor’s word among the events holds where the envelope has none', async () => {
  const say = (consent: string) => ({ id: `consent-${consent}`, type: 'consent', consent })
  const visitor = await mint()
  const bodyOf = (events: object[]) => from(visitor, events, { consent: undefined })
  expect(await accepted(bodyOf([say('granted'), click('a')]))).toHaveProperty('token')
  expect(await accepted(bodyOf([say('granted'), say('denied'), click('b')]))).not.toHaveProperty('token')
  const owned = (await flushed()).flatMap((line) => (line.type === 'click' ? [[line.item, line.visitor !== null]] : []))
  expect(Object.fromEntries(owned)).toEqual({ a: true, b: false })
})

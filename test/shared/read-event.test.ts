import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordOf } from '../../shared/event-record.ts'
import { faultOfLine, isRejectedLine, rejectedLine, replayed } from '../../shared/quarantine.ts'
import { readEvent } from '../../shared/read-event.ts'
import type { Event, RejectedRecord } from '../../shared/schemas/events.ts'

const SEEN = { received: 1_795_461_446_312, visitor: '9f2c4e0b1a7d3358', country: 'GB', device: null, referrer: null }

function taken(value: unknown, salt = 'anna'): Event[] {
  const read = readEvent(value, salt)
  if (!read.ok) throw new Error(read.issue.message)
  return read.events
}
/** Without the id, which is made. */
const meaning = (value: unknown): object[] =>
  taken(value).map(({ id, ...event }) => {
    expect(id).toMatch(/^[\w-]{8,64}$/)
    return event
  })

describe('GA4', () => {
  const items = [
    { item_id: 'SKU_1', item_name: 'One', index: 0, price: 9.99, quantity: 2, item_brand: 'Any' },
    { item_id: 'SKU_2', item_name: 'Two', index: 4, price: '3.50', quantity: '1' },
  ]
  const list = { item_list_id: 'related', item_list_name: 'Related' }

  it.each([
    ['view_item_list', { ...list, items }, [{ type: 'impression', items: ['SKU_1', 'SKU_2'], positions: [1, 5], list: 'related' }]],
    [
      'select_item',
      { ...list, items: [items[1]] },
      [{ type: 'click', item: 'SKU_2', position: 5, list: 'related', price: 3.5, quantity: 1 }],
    ],
    ['view_item', { currency: 'EUR', value: 9.99, items: [{ item_id: 7 }] }, [{ type: 'item_view', item: '7' }]],
    [
      'add_to_cart',
      { items },
      [
        { type: 'add_to_cart', item: 'SKU_1', position: 1, price: 9.99, quantity: 2 },
        { type: 'add_to_cart', item: 'SKU_2', position: 5, price: 3.5, quantity: 1 },
      ],
    ],
    [
      'purchase',
      { transaction_id: 'T_12345', value: 23.48, items },
      [
        {
          type: 'purchase',
          order: 'T_12345',
          items: [
            { item: 'SKU_1', quantity: 2, price: 9.99 },
            { item: 'SKU_2', quantity: 1, price: 3.5 },
          ],
        },
      ],
    ],
    ['begin_checkout', { value: 23.48, items }, [{ type: 'custom', name: 'begin_checkout', item: 'SKU_1', value: 23.48 }]],
    ['scroll', {}, [{ type: 'custom', name: 'scroll' }]],
  ])('%s, as the Measurement Protocol and as the data layer have it', (name, params, events) => {
    expect(meaning({ name, params })).toEqual(events)
    expect(meaning({ event: name, ecommerce: params })).toEqual(events)
  })

  it('keeps the time, and the place in a list longer than a hundred', () => {
    const long = Array.from({ length: 150 }, (_, i) => ({ item_id: `i${i}` }))
    const [first, second] = taken({ name: 'view_item_list', params: { items: long }, timestamp_micros: 1_795_461_446_100_999 })
    expect(first).toMatchObject({ type: 'impression', at: 1_795_461_446_100 })
    expect(second).toMatchObject({
      items: long.slice(100).map(({ item_id }) => item_id),
      positions: long.slice(100).map((_, i) => 101 + i),
    })
    expect(first?.id).not.toBe(second?.id)
  })

  it.each([
    [{ name: 'view_item', params: {} }, 'names no item'],
    [{ name: 'view_item', params: { items: [{}] } }, 'must be a string'],
    [{ name: 'purchase', params: { items: [] } }, 'needs 1 item'],
    [{ name: 'view_item', params: { items: 'all' } }, 'must be a list of items'],
  ])('%j is refused', (value, message) => {
    const read = readEvent(value, '')
    expect(read.ok ? '' : read.issue.message).toBe(message)
  })
})

describe('Segment', () => {
  const track = (event: string, properties: object, more: object = {}): object => ({ type: 'track', event, properties, ...more })
  const product = { product_id: '507f1f', sku: 'G-32', name: 'Monopoly', price: 18.99, quantity: 1, position: 3 }

  it.each([
    [
      track('Product List Viewed', { list_id: 'hot', category: 'Deals', products: [{ ...product, position: 1 }, { sku: '46493-32' }] }),
      { type: 'impression', items: ['507f1f', '46493-32'], positions: [1, 2], list: 'hot' },
    ],
    [track('Product Clicked', product), { type: 'click', item: '507f1f', position: 3, price: 18.99, quantity: 1 }],
    [track('Viewed Product', product), { type: 'item_view', item: '507f1f', position: 3, price: 18.99, quantity: 1 }],
    [track('Product Added', product), { type: 'add_to_cart', item: '507f1f', position: 3, price: 18.99, quantity: 1 }],
    [
      track('Order Completed', { order_id: '50314b8e', products: [product] }),
      { type: 'purchase', order: '50314b8e', items: [{ item: '507f1f', quantity: 1, price: 18.99 }] },
    ],
    [track('Coupon Applied', { coupon_id: 'x' }), { type: 'custom', name: 'Coupon Applied' }],
  ])('%j', (value, event) => {
    expect(meaning(value)).toEqual([event])
  })

  it('has an id and a time of its own', () => {
    const [event] = taken(track('Product Viewed', product, { messageId: 'ajs-next-123', timestamp: '2026-11-23T18:04:05.100Z' }))
    expect(event).toMatchObject({ id: 'ajs-next-123', at: Date.UTC(2026, 10, 23, 18, 4, 5, 100) })
  })
})

describe('ids that are made', () => {
  const view = (item: string): object => ({ name: 'view_item', params: { items: [{ item_id: item }] } })
  const idOf = (value: unknown, salt?: string): string | undefined => taken(value, salt)[0]?.id

  it('are the same for the same event of the same visitor in the same hour, and for no other', () => {
    expect(idOf(view('a'))).toBe(idOf(view('a')))
    expect(new Set([idOf(view('a')), idOf(view('b')), idOf(view('a'), 'berta'), idOf(view('a'), 'anna 2')]).size).toBe(4)
  })

  it('stand in for those that the contract would not take', () => {
    const sent = { type: 'track', event: 'Product Viewed', properties: { sku: 'a' } }
    const long = 'm'.repeat(80)
    expect(idOf({ ...sent, messageId: long })).not.toBe(idOf({ ...sent, messageId: `${long}n` }))
  })
})

describe('what nobody expected', () => {
  it('never throws, and what is taken holds under the contract', () => {
    const names = fc.constantFrom('view_item', 'purchase', 'select_item', 'Product Clicked', 'Order Completed')
    const anyItems = fc.array(fc.dictionary(fc.constantFrom('item_id', 'index', 'price', 'product_id', 'position'), fc.jsonValue()), {
      maxLength: 3,
    })
    const shaped = fc.oneof(
      fc.record({ name: names, params: fc.record({ items: anyItems }, { requiredKeys: [] }) }),
      fc.record({
        type: fc.constant('track'),
        event: names,
        properties: fc.record({ products: anyItems, sku: fc.jsonValue() }, { requiredKeys: [] }),
      }),
    )
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), shaped), (value) => {
        const read = readEvent(value, '')
        const line = read.ok ? '' : rejectedLine(value, SEEN, { offset: 'events[0]', field: '', detail: read.issue.message })
        if (!read.ok) expect(isRejectedLine(line) && JSON.parse(line)).toHaveProperty('offset', 'events[0]')
        else for (const event of read.events) expect(faultOfLine(JSON.stringify(recordOf(event, SEEN)))).toBeNull()
      }),
      { numRuns: 2000, seed: 5 },
    )
  })

  it('nested deeper than the stack is refused, not an end', () => {
    const deep = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown
    for (const value of [deep, { name: 'view_item', params: { items: [{ item_id: 'a', deep }] } }, { type: 'click', deep }])
      readEvent(value, '')
    expect(JSON.parse(rejectedLine({ deep }, SEEN, { offset: 'events[0]', field: '', detail: '' }))).toHaveProperty('event')
  })
})

describe('quarantine', () => {
  const reason = { offset: 'events[0]', field: 'events[0].v', detail: 'events[0].v must be 1' }
  const parsed = (value: unknown, seen: typeof SEEN | (Omit<typeof SEEN, 'visitor'> & { visitor: null })): RejectedRecord =>
    JSON.parse(rejectedLine(value, seen, reason)) as RejectedRecord

  it('keeps all of an event with consent, and without it only what the contract has', () => {
    const sent = { id: 'event-0001', v: 2, type: 'click', item: 'a', email: 'someone@example.org' }
    expect(parsed(sent, SEEN).event).toContain('someone@example.org')
    const { event } = parsed(sent, { ...SEEN, visitor: null })
    expect(JSON.parse(event ?? '')).toEqual({ id: 'event-0001', v: 2, type: 'click', item: 'a' })
  })

  it('gives back what fits by now, as it would have been taken, and nothing else', () => {
    const sent = { id: 'event-0001', type: 'click', item: 'a', at: SEEN.received - 1000 }
    expect(replayed(parsed(sent, SEEN))).toEqual({ events: [{ ...sent, v: 1, ...SEEN }], changes: [] })
    expect(replayed(parsed({ ...sent, v: 2 }, SEEN))).toBeNull()
    expect(replayed(parsed({ ...sent, note: 'n'.repeat(9000) }, SEEN))).toBeNull()
  })

  it.each([
    ['{"v":1,"id":"event', '', 'the line is no JSON'],
    [JSON.stringify({ v: 2, id: 'event-0001', type: 'click', item: 'a', at: 1, ...SEEN }), 'v', 'v must be 1'],
    [JSON.stringify({ v: 1, id: 'event-0001', type: 'click', item: '', at: 1, ...SEEN }), 'item', 'item must not be empty'],
    ['[]', 'v', /^v /],
  ])('a line of the archive is judged: %s', (line, field, detail) => {
    expect(faultOfLine(line)).toMatchObject({ field, detail: detail instanceof RegExp ? expect.stringMatching(detail) : detail })
  })

  it('an erasure fits', () => {
    expect(faultOfLine(JSON.stringify({ v: 1, id: 'erasure-1', type: 'erasure', received: 1, visitor: 'x', until: 2 }))).toBeNull()
  })
})

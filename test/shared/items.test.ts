import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { changed, type ItemRecord, ItemSchema, LiveItem } from '../../shared/schemas/items.ts'

const anyDate = fc.date({ min: new Date(-8.64e15), max: new Date(8.64e15), noInvalidDate: true }).map((date) => date.toISOString())
const moment = fc.oneof(anyDate, fc.constantFrom('1970', '275760-09-13', '+275760-09-13T00:00:00.001Z', 'now'), fc.integer(), fc.double())
const texts = fc.array(fc.string(), { maxLength: 60 })
const properties = fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.string(), fc.double(), fc.boolean(), texts), { maxKeys: 30 })
const fields = fc.record(
  {
    title: fc.string({ unit: 'binary' }),
    price: fc.double(),
    tags: texts,
    categories: texts,
    available: fc.boolean(),
    from: moment,
    until: moment,
    properties,
  },
  { requiredKeys: [] },
)

/** What `PUT /v1/items` makes of it; null where it is refused. */
function recordOf(item: unknown, received: number): ItemRecord | null {
  const parsed = v.safeParse(ItemSchema, item)
  if (!parsed.success) return null
  const { id, ...said } = parsed.output
  return { v: 1, type: 'item_upsert', received, item: id, fields: said }
}

describe('whatever is taken of an item', () => {
  test('can be kept, and read again, however often it changes', () => {
    let taken = 0
    fc.assert(
      fc.property(fc.array(fields, { minLength: 1, maxLength: 5 }), (all) => {
        let live: LiveItem | undefined
        for (const [received, one] of all.entries()) {
          const record = recordOf(JSON.parse(JSON.stringify({ id: 'a', ...one })), received)
          if (record === null) continue
          taken++
          live = changed(live, record)
          const read = v.safeParse(LiveItem, JSON.parse(JSON.stringify(live)))
          expect(read.issues?.[0].message).toBeUndefined()
        }
      }),
      { seed: 1, numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(500)
  })

  test('is a moment that a Date has, whichever way it is written', () => {
    for (const from of ['1969-12-31T23:59:59.999Z', '-271821-04-20T00:00:00.000Z', -1, 0.5, 8.64e15 + 1, 1e300, 'never'])
      expect([from, recordOf({ id: 'a', from }, 0)]).toEqual([from, null])
    for (const from of ['1970-01-01T00:00:00Z', '+275760-09-13T00:00:00.000Z', 0, 8.64e15])
      expect([from, recordOf({ id: 'a', from }, 0)]).toMatchObject([from, { item: 'a' }])
  })

  test('is never more than 30 properties: those said last stay', () => {
    const named = (prefix: string, count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, i]))
    let live: LiveItem | undefined
    for (const properties of [named('a', 30), named('b', 10), { a29: 'anew' }]) {
      const record = recordOf({ id: 'a', properties }, 0)
      if (record !== null) live = changed(live, record)
    }
    expect(live?.fields.properties).toEqual({
      ...named('b', 10),
      ...Object.fromEntries(Array.from({ length: 19 }, (_, i) => [`a${i + 10}`, i + 10])),
      a29: 'anew',
    })
  })
})

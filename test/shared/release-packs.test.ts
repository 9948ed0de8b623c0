import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { decodePack, encodePack, openPack, PackError, type SectionArray } from '../../shared/release/container.ts'
import { type Core, decodeCore, encodeCore, itemByHash, openCore } from '../../shared/release/core-pack.ts'
import { decodeDisplay, encodeDisplay, openDisplay } from '../../shared/release/display-pack.ts'
import { contentHash, itemHash } from '../../shared/release/hash.ts'
import { decodeLists, encodeLists, openLists } from '../../shared/release/list-pack.ts'
import { decodeMembers, encodeMembers, openMembers } from '../../shared/release/member-pack.ts'
import { decodeModel, encodeModel, openModel } from '../../shared/release/model-pack.ts'
import { decodeNeighbours, encodeNeighbours, openNeighbours } from '../../shared/release/neighbour-pack.ts'

type Bytes = Uint8Array<ArrayBuffer>
const RUNS = { numRuns: 60 }

const itemCount = fc.constantFrom(50, 0x10000, 0x10001, 3_000_000)
/** Weights so small that their 255th part is no float32 any more do not occur. */
const weight = fc.oneof(fc.constant(0), fc.float({ min: 2 ** -20, max: 1000, noNaN: true }))
const text = fc.string({ unit: 'binary', maxLength: 30 })

const neighbours = fc.record({
  first: fc.nat(1000),
  itemCount,
  rows: fc.array(fc.array(fc.record({ item: fc.nat(49), similar: weight, together: weight, next: weight }), { maxLength: 20 }), {
    maxLength: 10,
  }),
})
const neighbourBytes = ({ first, rows, itemCount: items }: typeof neighbours extends fc.Arbitrary<infer T> ? T : never): Bytes =>
  encodeNeighbours(
    first,
    rows.map((row) => ({
      items: row.map(({ item }) => item),
      similar: row.map(({ similar }) => similar),
      together: row.map(({ together }) => together),
      next: row.map(({ next }) => next),
    })),
    items,
  )

const region = fc.constantFrom('*', '@EU', 'GB', 'FR')
const lists = fc.uniqueArray(
  fc.record({
    region,
    cohort: fc.integer({ min: -1, max: 9 }),
    entries: fc.array(fc.record({ item: fc.nat(49), score: weight }), { maxLength: 20 }),
  }),
  { selector: ({ region: name, cohort }) => `${name} ${cohort}`, maxLength: 12 },
)
const inputOf = (all: typeof lists extends fc.Arbitrary<infer T> ? T : never) =>
  all.map(({ region: name, cohort, entries }) => {
    const sorted = [...entries].sort((a, b) => b.score - a.score)
    return { region: name, cohort, items: sorted.map(({ item }) => item), scores: sorted.map(({ score }) => score) }
  })

const display = fc.record({
  first: fc.nat(1000),
  rows: fc.array(fc.record({ id: text, values: fc.record({ title: text, price: fc.double({ min: 0, max: 1e6, noNaN: true }) }) }), {
    maxLength: 12,
  }),
})

const hex = fc.array(fc.nat(15), { minLength: 16, maxLength: 16 }).map((digits) => digits.map((digit) => digit.toString(16)).join(''))
const members = fc
  .uniqueArray(
    fc.record({
      visitor: hex,
      rows: fc.array(fc.record({ item: fc.nat(49), deed: fc.constantFrom(0 as const, 1 as const, 2 as const), day: fc.nat(65_535) }), {
        minLength: 1,
        maxLength: 20,
      }),
    }),
    { selector: ({ visitor }) => visitor },
  )
  .map((all) =>
    all
      .sort((a, b) => (a.visitor < b.visitor ? -1 : 1))
      .map(({ visitor, rows }) => ({
        visitor,
        items: rows.map(({ item }) => item),
        deeds: rows.map(({ deed }) => deed),
        days: rows.map(({ day }) => day),
      })),
  )

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const core = fc
  .record({ items: fc.integer({ min: 1, max: 20 }), dimensions: fc.integer({ min: 1, max: 8 }), cohorts: fc.nat(4), salt: fc.nat(9) })
  .chain(({ items, dimensions, cohorts, salt }) =>
    fc
      .record({
        bytes: bytesOf(items),
        vectors: bytesOf(items * dimensions),
        prices: fc.array(weight, { minLength: items, maxLength: items }),
        category: text,
      })
      .map(({ bytes, vectors, prices, category }): Core & { salt: number } => {
        const hashes = Array.from({ length: items }, (_, item) => ({ item, hash: itemHash(`item ${item}`, salt) })).sort(
          (a, b) => a.hash - b.hash,
        )
        return {
          salt,
          items,
          dimensions,
          cohorts,
          hashHigh: Uint16Array.from(hashes, ({ hash }) => Math.floor(hash / 0x1_0000_0000)),
          hashLow: Uint32Array.from(hashes, ({ hash }) => hash >>> 0),
          hashItem: Uint32Array.from(hashes, ({ item }) => item),
          slot: Uint32Array.from(bytes.keys()).reverse(),
          price: Float32Array.from(prices),
          category: Uint16Array.from(bytes, (byte) => byte % 2),
          popularity: Uint8Array.from(bytes),
          trend: Uint8Array.from(bytes).reverse(),
          age: Uint16Array.from(bytes, (byte) => byte * 255),
          repeat: Uint8Array.from(bytes, (byte) => byte ^ 85),
          flags: Uint8Array.from(bytes, (byte) => byte & 3),
          vectors: Int8Array.from(vectors),
          centroids: Float32Array.from({ length: cohorts * dimensions }, (_, i) => Math.fround(Math.sin(i))),
          categories: ['', category],
        }
      }),
  )
const coreBytes = ({ salt: _, ...columns }: Core & { salt: number }): Bytes => encodeCore(columns)

const model = fc.integer({ min: 1, max: 40 }).chain((hidden) => {
  const floats = (length: number) =>
    fc.float32Array({ minLength: length, maxLength: length, noNaN: true, min: -1e6, max: 1e6 }).map((array) => Float32Array.from(array))
  return fc.record({
    features: fc.constant(FEATURE_COUNT),
    hidden: fc.constant(hidden),
    w0: floats(FEATURE_COUNT * hidden),
    b0: floats(hidden),
    w1: floats(hidden),
    b1: floats(1),
    skip: floats(FEATURE_COUNT),
  })
})

describe('what was encoded is read back', () => {
  it('neighbours: items exactly, weights within half a step of the row’s scale', () => {
    fc.assert(
      fc.property(neighbours, (input) => {
        const pack = decodeNeighbours(neighbourBytes(input).buffer)
        expect([pack.first, pack.rows]).toEqual([input.first, input.rows.length])
        input.rows.forEach((row, i) => {
          const read = pack.row(input.first + i)
          expect(Array.from(read.items.subarray(read.from, read.to))).toEqual(row.map(({ item }) => item))
          row.forEach(({ similar, together }, j) => {
            expect(Math.abs(read.similar[read.from + j] * read.similarScale - similar)).toBeLessThanOrEqual(read.similarScale * 0.501)
            expect(Math.abs(read.together[read.from + j] * read.togetherScale - together)).toBeLessThanOrEqual(read.togetherScale * 0.501)
          })
        })
      }),
      RUNS,
    )
  })

  it('lists: items exactly, scores from 255 down, none for another region or cohort', () => {
    fc.assert(
      fc.property(lists, itemCount, (all, items) => {
        const input = inputOf(all)
        const pack = decodeLists(encodeLists(input, items).buffer)
        for (const { region: name, cohort, items: wanted } of input) {
          const list = pack.get(name, cohort)
          expect(Array.from(list?.items ?? [])).toEqual(wanted)
          const scores = Array.from(list?.scores ?? [])
          expect(scores).toEqual([...scores].sort((a, b) => b - a))
        }
        expect(pack.get('GB', 99)).toBeUndefined()
        expect(pack.get('XX', -1)).toBeUndefined()
      }),
      RUNS,
    )
  })

  it('display: ids and values as they were', () => {
    fc.assert(
      fc.property(display, ({ first, rows }) => {
        const pack = decodeDisplay(encodeDisplay(first, rows).buffer)
        expect(pack.rows).toBe(rows.length)
        rows.forEach(({ id, values }, i) => {
          expect(pack.id(first + i)).toBe(id)
          expect(pack.json(first + i)).toBe(JSON.stringify(values))
        })
      }),
      RUNS,
    )
  })

  it('members: their items, and nobody else’s', () => {
    fc.assert(
      fc.property(members, hex, itemCount, (all, other, items) => {
        const pack = decodeMembers(encodeMembers(all, items).buffer)
        for (const { visitor, ...wanted } of all) {
          const row = pack.get(visitor)
          expect(row && { items: [...row.items], deeds: [...row.deeds], days: [...row.days] }).toEqual(wanted)
        }
        if (!all.some(({ visitor }) => visitor === other)) expect(pack.get(other)).toBeUndefined()
      }),
      RUNS,
    )
  })

  it('core: every column, and every item by the hash of its id', () => {
    fc.assert(
      fc.property(core, (input) => {
        const { salt, ...columns } = input
        const read = decodeCore(coreBytes(input).buffer)
        expect(read).toEqual(columns)
        for (let item = 0; item < columns.items; item++) expect(itemByHash(read, itemHash(`item ${item}`, salt))).toBe(item)
        expect(itemByHash(read, itemHash('another', salt))).toBe(-1)
      }),
      RUNS,
    )
  })

  it('model: no weight that is no number, or so large that a score may not be one, neither written nor read', () => {
    const whole = { ...fc.sample(model, 1)[0], b1: Float32Array.of(12345.5) }
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 2e6]) {
      const bytes = encodeModel(whole)
      const spoilt = { ...whole, b1: Float32Array.of(bad) }
      expect(() => encodeModel(spoilt)).toThrow(PackError)
      // The four bytes that say b1 are made to say the other.
      const view = new DataView(bytes.buffer)
      for (let at = 0; at + 4 <= bytes.length; at += 4) if (view.getFloat32(at, true) === whole.b1[0]) view.setFloat32(at, bad, true)
      expect(() => decodeModel(bytes.buffer)).toThrow(PackError)
    }
  })

  it('model: the weights to the bit', () => {
    fc.assert(
      fc.property(model, (weights) => {
        expect(decodeModel(encodeModel(weights).buffer)).toEqual(weights)
      }),
      { numRuns: 20 },
    )
  })

  it('any sections, whatever their lengths', () => {
    const section: fc.Arbitrary<SectionArray> = fc.oneof(
      fc.uint8Array().map((array) => Uint8Array.from(array)),
      fc.int8Array().map((array) => Int8Array.from(array)),
      fc.uint16Array().map((array) => Uint16Array.from(array)),
      fc.uint32Array().map((array) => Uint32Array.from(array)),
      fc.int32Array().map((array) => Int32Array.from(array)),
      fc.float32Array({ noNaN: true }).map((array) => Float32Array.from(array)),
    )
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), section),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.integer(), text)),
        (sections, meta) => {
          const pack = decodePack(encodePack({ kind: 'core', meta, sections }).buffer, 'core')
          expect({ ...pack.sections }).toEqual(sections)
          expect(pack.meta).toEqual({ ...meta })
        },
      ),
      RUNS,
    )
  })
})

const kinds: { kind: string; bytes: fc.Arbitrary<Bytes>; open: (buffer: ArrayBuffer, hash: string) => Promise<unknown> }[] = [
  { kind: 'neighbours', bytes: neighbours.map(neighbourBytes), open: openNeighbours },
  { kind: 'lists', bytes: lists.map((all) => encodeLists(inputOf(all), 50)), open: openLists },
  { kind: 'display', bytes: display.map(({ first, rows }) => encodeDisplay(first, rows)), open: openDisplay },
  { kind: 'members', bytes: members.map((all) => encodeMembers(all, 50)), open: openMembers },
  { kind: 'core', bytes: core.map(coreBytes), open: openCore },
  { kind: 'model', bytes: model.map(encodeModel), open: openModel },
]

describe.each(kinds)('a $kind pack that is not what was published', ({ bytes, open }) => {
  it('opens when it is whole', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (whole) => {
        await open(whole.buffer, await contentHash(whole))
      }),
      RUNS,
    )
  })

  it('is a PackError when cut short', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (whole, share) => {
        const cut = whole.slice(0, Math.floor(whole.length * share))
        await expect(open(cut.buffer, await contentHash(whole))).rejects.toBeInstanceOf(PackError)
      }),
      RUNS,
    )
  })

  it('is a PackError with any bit flipped', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(), async (whole, at) => {
        const flipped = whole.slice()
        flipped[(at >> 3) % whole.length] ^= 1 << (at & 7)
        await expect(open(flipped.buffer, await contentHash(whole))).rejects.toBeInstanceOf(PackError)
      }),
      RUNS,
    )
  })

  it('is a PackError when it is another kind’s, under its right hash', async () => {
    const other = encodePack({ kind: 'members', meta: {}, sections: {} })
    const wrong = encodePack({ kind: 'display', meta: {}, sections: {} })
    for (const pack of [other, wrong, new Uint8Array(0), new Uint8Array(64)])
      await expect(open(pack.buffer, await contentHash(pack))).rejects.toBeInstanceOf(PackError)
  })
})

describe('a pack whose bytes were made by someone who knows how to hash', () => {
  it('is a PackError or a pack, never another error, whatever bit is flipped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...kinds).chain(({ bytes, open }) => fc.tuple(bytes, fc.constant(open))),
        fc.nat(),
        async ([whole, open], at) => {
          const flipped = whole.slice()
          flipped[(at >> 3) % whole.length] ^= 1 << (at & 7)
          try {
            await open(flipped.buffer, await contentHash(flipped))
          } catch (error) {
            expect(error).toBeInstanceOf(PackError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  it('says what is wrong', async () => {
    const pack = encodePack({ kind: 'lists', meta: {}, sections: {} })
    const fault = async (bytes: Bytes, hash?: string): Promise<unknown> => {
      const error = await openPack(bytes.buffer, hash ?? (await contentHash(bytes)), 'lists').catch((thrown: unknown) => thrown)
      return error instanceof PackError ? error.fault : error
    }
    expect(await fault(pack, '0'.repeat(32))).toBe('hash-mismatch')
    expect(await fault(pack.slice(0, 4))).toBe('truncated')
    expect(await fault(pack.slice(0, 20))).toBe('truncated')
    expect(await fault(new Uint8Array(16))).toBe('not-a-pack')
    expect(await fault(encodePack({ kind: 'core', meta: {}, sections: {} }))).toBe('wrong-kind')
  })
})

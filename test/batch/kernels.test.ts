import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { builtKernels } from '../../batch/kernels/build.ts'
import { KERNELS_FILE } from '../../batch/kernels/kernels.ts'
import { gramPlain, similarItemsPlain } from '../../batch/kernels/plain/similar.ts'
import type { Interactions } from '../../batch/learn/interactions.ts'
import { gramOf, similarItems } from '../../batch/learn/similar.ts'
import { type Sparse, SparseBuilder, transpose } from '../../batch/learn/sparse.ts'
import { randomStream } from '../../shared/random.ts'

/** Relative to the largest of what is compared: single precision has 7 digits. */
const CLOSE = 1e-5

const degrees = (matrix: Sparse): Uint32Array =>
  Uint32Array.from({ length: matrix.rows }, (_, row) => matrix.start[row + 1] - matrix.start[row])

/** Visitors who mostly want items near a place of their own, so that some items are wanted together. */
function someInteractions(visitors: number, items: number, most: number, seed: number): Interactions {
  const random = randomStream(seed)
  const builder = new SparseBuilder(items)
  for (let visitor = 0; visitor < visitors; visitor++) {
    const place = random() * items
    const own = new Set<number>()
    for (let n = Math.floor(random() * most); n >= 0; n--) own.add(Math.floor(place + random() ** 3 * items) % items)
    for (const item of [...own].sort((a, b) => a - b)) builder.push(item, 1)
    builder.endRow()
  }
  const byVisitor = builder.build()
  const byItem = transpose(byVisitor)
  return { byVisitor, byItem, visitorItems: degrees(byVisitor), itemVisitors: degrees(byItem) }
}

/** The largest difference anywhere, beside the largest value of the same column. */
function furthest(one: Sparse, other: Sparse): number {
  const rows = [transpose(one), transpose(other)]
  let far = 0
  for (let row = 0; row < rows[0].rows; row++) {
    const [a, b] = rows.map(({ start, index, value }) => {
      const entries: [number, number][] = []
      for (let k = start[row]; k < start[row + 1]; k++) entries.push([index[k], value[k]])
      return new Map(entries)
    })
    const top = Math.max(...a.values(), ...b.values())
    for (const item of new Set([...a.keys(), ...b.keys()])) far = Math.max(far, Math.abs((a.get(item) ?? 0) - (b.get(item) ?? 0)) / top)
  }
  return far
}

const OPTIONS = { ridgeBase: 10, ridgeScale: 1, support: 40, minVisitors: 2, visitorPower: 0.3 }

describe('the committed kernels', () => {
  it('are what compiling their source gives ("npm run kernels")', async () => {
    expect(Buffer.from(await builtKernels()).equals(readFileSync(KERNELS_FILE))).toBe(true)
  })
})

describe('what is similar', () => {
  it('is what plain TypeScript finds in double precision', async () => {
    const shape = fc.record({
      visitors: fc.integer({ min: 1, max: 300 }),
      items: fc.integer({ min: 1, max: 90 }),
      most: fc.integer({ min: 1, max: 30 }),
      seed: fc.nat(),
      support: fc.integer({ min: 1, max: 60 }),
      minVisitors: fc.integer({ min: 1, max: 4 }),
      visitorPower: fc.double({ min: 0, max: 1, noNaN: true }),
      // The least that a night tries: without any, single precision loses digits to items that always come together.
      ridgeScale: fc.double({ min: 0.3, max: 2, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ visitors, items, most, seed, ...options }) => {
        const given = someInteractions(visitors, items, most, seed)
        const gram = await gramOf(given, options)
        expect(plainCopy(gram.matrix)).toEqual(gramPlain(given, options))
        const all = { ...options, ridgeBase: 3 }
        expect(furthest(await similarItems(given, all, gram), similarItemsPlain(given, all))).toBeLessThan(CLOSE)
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('is the same outside the dense block', async () => {
    const given = someInteractions(4000, 5000, 60, 3)
    expect(furthest(await similarItems(given, OPTIONS), similarItemsPlain(given, OPTIONS))).toBeLessThan(CLOSE)
  })

  it('does not depend on how many threads there are, nor on fits before it', async () => {
    const given = someInteractions(2000, 400, 60, 4)
    const alone = await similarItems(given, OPTIONS, await gramOf(given, OPTIONS, 1), 1)
    const gram = await gramOf(given, OPTIONS, 3)
    await similarItems(given, { ...OPTIONS, ridgeBase: 1 }, gram, 2)
    expect(await similarItems(given, OPTIONS, gram, 3)).toEqual(alone)
  })
})

const plainCopy = ({ start, index, value, ...shape }: Sparse): Sparse => ({
  ...shape,
  start: start.slice(),
  index: index.slice(),
  value: value.slice(),
})

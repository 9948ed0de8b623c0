import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena, inArena } from '../../batch/kernels/arena.ts'
import { builtKernels } from '../../batch/kernels/build.ts'
import { type Example, kernelGradients } from '../../batch/kernels/gradients.ts'
import { KERNELS_FILE } from '../../batch/kernels/kernels.ts'
import { plainGradients } from '../../batch/kernels/plain/gradients.ts'
import { leadingVectorsPlain } from '../../batch/kernels/plain/leading-vectors.ts'
import { nearestPlain } from '../../batch/kernels/plain/nearest.ts'
import { gramPlain, similarItemsPlain } from '../../batch/kernels/plain/similar.ts'
import type { Task } from '../../batch/kernels/task.ts'
import { withThreads } from '../../batch/kernels/threads.ts'
import type { Interactions } from '../../batch/learn/interactions.ts'
import { leadingVectors } from '../../batch/learn/leading-vectors.ts'
import { nearestOf } from '../../batch/learn/nearest.ts'
import { gramOf, similarItems } from '../../batch/learn/similar.ts'
import { type Sparse, SparseBuilder, transpose } from '../../batch/learn/sparse.ts'
import { parameterLayout } from '../../batch/ranker/parameters.ts'
import { momentsOf, trainRanker } from '../../batch/ranker/train.ts'
import { normal, randomStream } from '../../shared/random.ts'

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
        expect({ matrix: plainCopy(gram.matrix), enough: gram.enough.slice() }).toEqual(gramPlain(given, options))
        const all = { ...options, ridgeBase: 3 }
        expect(furthest(await similarItems(gram, all), similarItemsPlain(gramPlain(given, options), all))).toBeLessThan(CLOSE)
      }),
      { seed: 1, numRuns: 60 },
    )
  })

  it('is the same outside the dense block', async () => {
    const given = someInteractions(4000, 5000, 60, 3)
    expect(
      furthest(await similarItems(await gramOf(given, OPTIONS), OPTIONS), similarItemsPlain(gramPlain(given, OPTIONS), OPTIONS)),
    ).toBeLessThan(CLOSE)
  })

  it('stays a share where few visitors have much', async () => {
    const given = someInteractions(60, 400, 300, 5)
    const sparse = { ...OPTIONS, ridgeBase: 1, ridgeScale: 0.3, support: 200, minVisitors: 6 }
    const { value } = await similarItems(await gramOf(given, sparse), sparse)
    expect(value.length).toBeGreaterThan(0)
    expect(Math.max(...value)).toBeLessThan(1)
  })

  it('does not depend on how many threads there are, nor on fits before it', async () => {
    const given = someInteractions(2000, 400, 60, 4)
    const alone = await similarItems(await gramOf(given, OPTIONS, 1), OPTIONS, 1)
    const gram = await gramOf(given, OPTIONS, 3)
    await similarItems(gram, { ...OPTIONS, ridgeBase: 1 }, 2)
    expect(await similarItems(gram, OPTIONS, 3)).toEqual(alone)
  })
})

const plainCopy = ({ start, index, value, ...shape }: Sparse): Sparse => ({
  ...shape,
  start: start.slice(),
  index: index.slice(),
  value: value.slice(),
})

/** Candidates of which the one with the largest first feature is mostly taken. */
function someExamples(count: number, features: number, mostRows: number, seed: number): Example[] {
  const random = randomStream(seed)
  return Array.from({ length: count }, () => {
    const rows = 1 + Math.floor(random() * mostRows)
    const values = Float32Array.from({ length: rows * features }, (_, k) => normal(random) * (1 + (k % features)) + (k % 5))
    const taken = new Set([Math.floor(random() * rows), Math.floor(random() ** 4 * rows)])
    return { features: values, count: rows, taken: [...taken] }
  })
}

describe('the ranker’s gradient', () => {
  it('is what plain TypeScript finds in double precision', async () => {
    const shape = fc.record({
      features: fc.integer({ min: 1, max: 45 }),
      rows: fc.integer({ min: 1, max: 160 }),
      count: fc.integer({ min: 1, max: 12 }),
      spread: fc.double({ min: 0.01, max: 1, noNaN: true }),
      seed: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ features, rows, count, spread, seed }) => {
        const examples = someExamples(count, features, rows, seed)
        const moments = momentsOf(examples, features)
        const random = randomStream(seed)
        const { length, skip } = parameterLayout(features)
        const parameters = Float64Array.from({ length }, (_, k) => (k < skip + features ? Math.fround(normal(random) * spread) : 0))
        const batch = [...examples.keys()].reverse()
        const expected = new Float64Array(length)
        const loss = await plainGradients(examples, moments)(parameters, batch, expected)
        const arena = new Arena()
        const gradient = new Float64Array(length)
        const own = await withThreads(arena, 1, (run) =>
          kernelGradients(arena, run, 1, examples, moments, count)(parameters, batch, gradient),
        )
        expect(Math.abs(own - loss)).toBeLessThan(CLOSE * (1 + loss))
        const top = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
        expect(Math.max(...gradient.map((value, k) => Math.abs(value - expected[k]))) / top).toBeLessThan(CLOSE)
      }),
      { seed: 1, numRuns: 80 },
    )
  })

  it('leads to the same ranker however many threads there are', async () => {
    const examples = someExamples(150, 9, 40, 5)
    const train = (threads: number) => trainRanker(examples, { features: 9, epochs: 2, seed: 1, threads })
    const alone = await train(1)
    expect(await train(3)).toEqual(alone)
  })
})

describe('the leading vectors', () => {
  it('are what plain TypeScript finds', async () => {
    const shape = fc.record({
      visitors: fc.integer({ min: 1, max: 200 }),
      items: fc.integer({ min: 1, max: 300 }),
      most: fc.integer({ min: 1, max: 30 }),
      dimensions: fc.integer({ min: 1, max: 40 }),
      seed: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(shape, async ({ visitors, items, most, dimensions, seed }) => {
        const { byItem } = someInteractions(visitors, items, most, seed)
        // No two directions are equally strong: which comes first would be a matter of the last digit.
        const random = randomStream(seed)
        byItem.value.forEach((_, k) => {
          byItem.value[k] = 0.1 + random()
        })
        const own = await leadingVectors(byItem, dimensions, 1)
        const expected = leadingVectorsPlain(byItem, dimensions, 1)
        const top = expected.reduce((far, value) => Math.max(far, Math.abs(value)), 0)
        expect(own.reduce((far, value, k) => Math.max(far, Math.abs(value - expected[k])), 0)).toBeLessThanOrEqual(CLOSE * top)
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  it('are the same however many threads there are', async () => {
    const { byItem } = someInteractions(500, 700, 40, 6)
    expect(await leadingVectors(byItem, 32, 1, 3)).toEqual(await leadingVectors(byItem, 32, 1, 1))
  })
})

describe('the nearest', () => {
  /** Rows at unit length of a dimension that is no multiple of 4; some are alike, and one has no place. */
  const dimensions = 6
  const items = 300
  const random = randomStream(7)
  const rows = Array.from({ length: items }, (_, item) => {
    const row = Array.from({ length: dimensions }, () => normal(random))
    const length = Math.hypot(...row)
    return row.map((value) => (item === 9 ? 0 : value / length))
  })
  rows[20] = rows[10]
  const places = { vectors: Float32Array.from(rows.flat()), dimensions }
  const all = Uint32Array.from({ length: items }, (_, item) => item)
  const asked = {
    targets: all.filter((item) => item % 3 === 0),
    others: all.filter((item) => item % 2 === 0),
    most: 12,
    factor: Float32Array.from(all, (item) => (item % 5) / 4),
    least: Float32Array.from(all, (item) => (item % 7 === 0 ? 0.5 : 0)),
  }
  const barred = Array.from(asked.targets, (target) => all.filter((item) => (item * 7 + target) % 5 === 0))

  it('are those of the plain twin, in its order, on any number of threads', async () => {
    // One target less than a multiple of 4 too: the kernel goes through them four at a time.
    for (const own of [asked, { ...asked, targets: asked.targets.subarray(1) }, { ...asked, barred }, { ...asked, most: 400 }]) {
      const plain = nearestPlain(places, own)
      for (const threads of [1, 2]) {
        const near = await nearestOf(places, own, threads)
        expect(near.map(({ items }) => Array.from(items))).toEqual(plain.map(({ items }) => Array.from(items)))
        near.forEach(({ values }, i) => {
          for (const [k, value] of values.entries()) expect(Math.abs(value - plain[i].values[k])).toBeLessThan(CLOSE)
        })
      }
    }
  })

  it('are never what is barred for a target', async () => {
    const near = await nearestOf(places, { ...asked, barred })
    expect(near.some(({ items }) => items.length > 0)).toBe(true)
    near.forEach(({ items }, i) => {
      for (const item of items) expect(barred[i]).not.toContain(item)
    })
    const free = await nearestOf(places, asked)
    expect(free.some(({ items }, i) => items.some((item) => barred[i].includes(item)))).toBe(true)
  })

  it('are none where none is asked for, or none is above 0', async () => {
    const nobody = new Uint32Array(0)
    expect(await nearestOf(places, { targets: nobody, others: all, most: 3 })).toEqual([])
    const [near] = await nearestOf(places, { targets: Uint32Array.of(9), others: all, most: 3 })
    expect(near.items).toHaveLength(0)
    expect((await nearestOf(places, { targets: all, others: nobody, most: 3 })).every((own) => own.items.length === 0)).toBe(true)
  })
})

describe('an arena', () => {
  it('that was given back is the next one, and as empty as a new one', async () => {
    const memory = await inArena(async (arena) => {
      arena.f32(50_000).fill(7)
      return arena.memory
    })
    await inArena(async (arena) => {
      expect(arena.memory).toBe(memory)
      expect(arena.f64(40_000).every((value) => value === 0)).toBe(true)
      await inArena(async (other) => expect(other.memory).not.toBe(memory))
    })
  })

  it('in which something failed is nobody’s again', async () => {
    let failed: WebAssembly.Memory | undefined
    const work = inArena(async (arena) => {
      failed = arena.memory
      throw new Error('lost')
    })
    await expect(work).rejects.toThrow('lost')
    await inArena(async (arena) => expect(arena.memory).not.toBe(failed))
  })
})

describe('a thread that ends', () => {
  /** As an engine that is out of memory, or a native crash, would end it: without a word. */
  const endNextThread = (): Promise<number> => new Promise((ended) => process.once('worker', (worker) => ended(worker.terminate())))
  /** A matrix without columns: nothing to do in any part, for a minute. */
  const endless: Task = { kernel: 'crossParts', scratch: 0, scratchBytes: 0, arguments: [0, 0, 0, 0, 0], count: 2 ** 31 - 1, step: 1 }

  it('fails the task it was at, instead of leaving everyone waiting', async () => {
    const arena = new Arena()
    const work = withThreads(arena, 2, (run) => run(endless))
    await Promise.all([expect(work).rejects.toThrow('a thread of the kernels ended'), endNextThread()])
  })

  it('fails the next task when it ended before that began', async () => {
    const arena = new Arena()
    const gone = endNextThread()
    const work = withThreads(arena, 2, async (run) => {
      await gone
      await run(endless)
    })
    await expect(work).rejects.toThrow('a thread of the kernels ended')
  })
})

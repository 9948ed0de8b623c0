import { describe, expect, it } from 'vitest'
import { readConfig } from '../../batch/config.ts'
import type { CatalogueItem, Dataset } from '../../batch/dataset.ts'
import { withContentNeighbours } from '../../batch/learn/content-neighbours.ts'
import { type Learned, learn } from '../../batch/learn/learn.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { randomStream } from '../../shared/random.ts'
import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import { datasetOf } from './support/dataset-of.ts'

/** Four categories of a dozen items each; visitors keep to one, but for a look at anything. */
const CATEGORIES = ['boots', 'lamps', 'teapots', 'tents']
const PER_CATEGORY = 12
const KNOWN = CATEGORIES.length * PER_CATEGORY
const LAMPS = CATEGORIES.indexOf('lamps')

const categoryOf = (item: number): number => Math.floor(item / PER_CATEGORY)

/** @param untouched categories of further items, behind the others, that nobody touches */
function shop(untouched: readonly number[]): Dataset {
  const random = randomStream(5)
  const deeds = Array.from({ length: 240 }, (_, visitor) => visitor).flatMap((visitor) =>
    Array.from({ length: 8 }, (_, i) => {
      const item = Math.floor(random() * PER_CATEGORY) + (visitor % CATEGORIES.length) * PER_CATEGORY
      return { visitor, item: i === 7 ? Math.floor(random() * KNOWN) : item, at: 1_000_000 + 60 * i }
    }),
  )
  const dataset = datasetOf(240, KNOWN + untouched.length, deeds)
  const items = dataset.items.map((item, i): CatalogueItem => {
    const category = i < KNOWN ? categoryOf(i) : untouched[i - KNOWN]
    return { ...item, category: CATEGORIES[category], price: 10 * (category + 1) }
  })
  return { ...dataset, items }
}

const config = { ...readConfig(undefined), dimensions: 8 }
const learned = (dataset: Dataset, content = config.content): Promise<Learned> =>
  learn({ dataset, until: dataset.to + 1 }, { ...config, content }, { ...USUAL_RECALL, candidates: 50 }, () => Promise.resolve())

describe('an item that nobody has touched', () => {
  const lamp = KNOWN

  it('has the items of its category as neighbours, and is one of theirs', async () => {
    const { neighbours } = await learned(shop([LAMPS]))
    expect(neighbours[lamp].items.map(categoryOf)).toEqual(new Array(6).fill(LAMPS))
    for (let item = 0; item < KNOWN; item++) if (categoryOf(item) === LAMPS) expect(neighbours[item].items).toContain(lamp)
  })

  it('counts as much by either kind of weight, so that no mix of the two leaves it out', async () => {
    const { neighbours } = await learned(shop([LAMPS]))
    for (const { items, similar, together } of neighbours) {
      const at = items.indexOf(lamp)
      if (at >= 0) expect([similar[at], together[at]]).toEqual([similar[at], similar[at]])
      if (at >= 0) expect(similar[at]).toBeGreaterThan(0)
    }
    expect(neighbours[lamp].together).toEqual(neighbours[lamp].similar)
  })

  it('moves nobody: known neighbours stay the same, in the same order, with the same weights, before it', async () => {
    const without = await learned(shop([]))
    const { neighbours } = await learned(shop([LAMPS]))
    for (let item = 0; item < KNOWN; item++) {
      const known = without.neighbours[item]
      const { length } = known.items
      expect(neighbours[item].items.slice(0, length)).toEqual(known.items)
      for (const kind of ['similar', 'together', 'next'] as const) expect(neighbours[item][kind].slice(0, length)).toEqual(known[kind])
      expect(neighbours[item].items.slice(length).every((other) => other === lamp)).toBe(true)
    }
  })

  it('weighs less than any row’s best, and takes no more than ten places of a full one', async () => {
    const crowd = new Array<number>(30).fill(LAMPS)
    const { neighbours } = await learned(shop(crowd))
    for (let item = 0; item < KNOWN; item++) {
      const { items, similar } = neighbours[item]
      const strangers = items.filter((other) => other >= KNOWN)
      expect(strangers.length).toBeLessThanOrEqual(10)
      expect(items.length).toBeLessThanOrEqual(config.neighboursPerItem)
      for (const other of strangers) expect(similar[items.indexOf(other)]).toBeLessThan(0.5 * Math.max(...similar))
    }
  })

  it('is left alone where content counts nothing', async () => {
    const { neighbours } = await learned(shop([LAMPS]), 0)
    expect(neighbours[lamp].items).toEqual([])
    expect(neighbours.slice(0, KNOWN).some(({ items }) => items.includes(lamp))).toBe(false)
  })

  it('never stands by what too few visitors did: who shares one visitor is no neighbour', async () => {
    // 48 and 49 have three visitors each, enough to be known, and visitor 0 alone had both; 50 and 51 have that visitor only.
    const dataset = shop([0, 0, 0, 0])
    const plain = dataset.items.map((item, i) => (i < KNOWN ? item : { ...item, category: '', price: 0 }))
    const pairs = [0, 1, 2].map((visitor) => ({ visitor, item: 48, at: 2_000_000 }))
    const others = [0, 3, 4].map((visitor) => ({ visitor, item: 49, at: 2_000_060 }))
    const alone = [50, 51].map((item) => ({ visitor: 0, item, at: 2_000_120 }))
    const { deeds } = dataset
    const known = Array.from(deeds.at.keys(), (k) => ({ visitor: deeds.visitor[k], item: deeds.item[k], at: deeds.at[k] }))
    const all = [...known, ...pairs, ...others, ...alone].sort((a, b) => a.visitor - b.visitor || a.at - b.at)
    const { neighbours } = await learned({ ...datasetOf(240, KNOWN + 4, all), items: plain })
    const strangers = [48, 49, 50, 51]
    for (const item of strangers) expect(neighbours[item].items.filter((other) => strangers.includes(other))).toEqual([])
    for (let item = 0; item < KNOWN; item++) expect(neighbours[item].items.filter((other) => other >= 50)).toEqual([])
  })

  it('is the same every night', async () => {
    const dataset = shop([LAMPS, 0, 3])
    expect((await learned(dataset)).neighbours).toEqual((await learned(dataset)).neighbours)
  })
})

/** Rows of one neighbour each for the known, none for the others. */
const rowOf = (known: boolean): NeighbourInput =>
  known ? { items: [0], similar: [1], together: [0], next: [0] } : { items: [], similar: [], together: [], next: [] }

/** @param angles by item, in degrees: where it stands in the plane of two terms */
function withContent(angles: number[], known: (item: number) => boolean, newcomer: (item: number) => boolean): Promise<NeighbourInput[]> {
  const vectors = Float32Array.from(angles.flatMap((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]))
  const newcomers = Uint8Array.from(angles, (_, item) => (newcomer(item) ? 1 : 0))
  const shown = Float64Array.from(angles, (_, item) => (known(item) ? 1 : 0))
  const rows = angles.map((_, item) => rowOf(known(item)))
  return withContentNeighbours(rows, newcomers, shown, { vectors, dimensions: 2 }, 80)
}

describe('content neighbours', () => {
  it('are worth what was tried and is like them: what is like items that drew nobody stands behind', async () => {
    // 30 wanted items and as many that drew nobody, a newcomer in the middle of each, and one known item between both.
    const angles = [...new Array<number>(30).fill(0), ...new Array<number>(30).fill(60), 2, 58, 30]
    const rows = await withContent(
      angles,
      (item) => item < 30 || item === 62,
      (item) => item === 60 || item === 61,
    )
    expect(rows[62].items).toEqual([0, 60])
  })

  it('are in the rows of those most like them alone, however many there are', async () => {
    const angles = [...Array.from({ length: 150 }, (_, item) => 0.5 * item), 0]
    const rows = await withContent(
      angles,
      (item) => item < 150,
      (item) => item === 150,
    )
    expect(rows.flatMap(({ items }, item) => (items.includes(150) ? [item] : []))).toEqual(Array.from({ length: 100 }, (_, item) => item))
  })
})

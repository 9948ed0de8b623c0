import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../batch/config.ts'
import { type Deeds, WHOLE } from '../../batch/dataset.ts'
import { priorStrength, shares, shrunk } from '../../batch/learn/back-off.ts'
import { historyOf, historyReader } from '../../batch/learn/histories.ts'
import { type Interactions, interactions, withMostEntries, withMostPairs } from '../../batch/learn/interactions.ts'
import { sphericalKMeans } from '../../batch/learn/k-means.ts'
import { learn } from '../../batch/learn/learn.ts'
import { unseen } from '../../batch/ranker/choice.ts'
import { decisionsAt, sampleDecisions } from '../../batch/ranker/decisions.ts'
import { trainRanker } from '../../batch/ranker/train.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { randomStream } from '../../shared/random.ts'
import { features } from '../../shared/ranking/features.ts'
import { referenceScores } from '../../shared/ranking/reference-scorer.ts'
import { datasetOf } from './support/dataset-of.ts'

const recall = { ...USUAL_RECALL, candidates: 50 }

describe('histories read one after the other', () => {
  it('are those that are read alone', () => {
    const shape = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 2 })), { maxLength: 60 })
    fc.assert(
      fc.property(shape, fc.integer({ min: 1, max: 5 }), (rows, most) => {
        const column = <T extends Uint32Array | Uint8Array>(empty: T, value: (row: [number, number], k: number) => number): T => {
          rows.forEach((row, k) => {
            empty[k] = value(row, k)
          })
          return empty
        }
        const deeds: Deeds = {
          count: rows.length,
          visitor: new Uint32Array(rows.length),
          item: column(new Uint32Array(rows.length), ([item]) => item),
          at: column(new Uint32Array(rows.length), (_, k) => 1000 + 7 * k),
          deed: column(new Uint8Array(rows.length), ([, deed]) => deed),
          session: new Uint32Array(rows.length),
          country: new Uint8Array(rows.length),
          device: new Uint8Array(rows.length),
          weight: new Uint8Array(rows.length).fill(WHOLE),
          referrer: new Uint8Array(rows.length),
        }
        const read = historyReader(deeds, 7, most)
        for (let from = 0; from < rows.length; from += 10) {
          const to = Math.min(rows.length, from + 15)
          expect(read(from, to, 1200)).toEqual(historyOf(deeds, from, to, most, 1200))
        }
      }),
      { seed: 1 },
    )
  })
})

describe('empirical-Bayes back-off', () => {
  it('keeps a distribution a distribution', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 }).map((list) => Float64Array.from(list))
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 1, max: 100_000 }), (own, parent, strength) => {
        const total = shrunk(own, shares(parent), strength).reduce((sum, value) => sum + value, 0)
        expect(total).toBeCloseTo(1, 9)
      }),
    )
  })

  it('trusts the parent where children look like it, and the children where they do not', () => {
    const parent = shares(Float64Array.from([50, 30, 20]))
    const alike = Array.from({ length: 8 }, () => Float64Array.from([50, 30, 20]))
    const apart = [Float64Array.from([99, 1, 0]), Float64Array.from([0, 2, 98]), Float64Array.from([1, 98, 1])]
    expect(priorStrength(alike.map((counts) => ({ counts, parent })))).toBeGreaterThan(
      100 * priorStrength(apart.map((counts) => ({ counts, parent }))),
    )
  })
})

describe('lists and cohorts', () => {
  // Germans like even items, Britons odd ones; one German visitor alone took item 9 a hundred times.
  const random = randomStream(1)
  const deeds = Array.from({ length: 300 }, (_, visitor) => visitor).flatMap((visitor) => {
    const german = visitor < 60
    const own = Array.from({ length: 6 }, (_, i) => ({
      visitor,
      item: 2 * Math.floor(random() * 4) + (german ? 0 : 1),
      at: 1_000_000 + 60 * i,
      country: german ? 1 : 2,
    }))
    return visitor === 0 ? [...own, ...Array.from({ length: 100 }, (_, i) => ({ visitor, item: 9, at: 1_001_000 + i, country: 1 }))] : own
  })
  const dataset = datasetOf(300, 10, deeds)
  const config = { ...readConfig(undefined), minCohort: 20, listLength: 4 }

  it('tell countries apart, and describe no single person', async () => {
    const { lists } = await learn({ dataset, until: dataset.to + 1 }, config, recall, () => Promise.resolve())
    const list = (region: string): number[] => lists.find((entry) => entry.region === region && entry.cohort === -1)?.items ?? []
    expect(list('DE').every((item) => item % 2 === 0)).toBe(true)
    expect(list('GB').every((item) => item % 2 === 1)).toBe(true)
    expect(list('DE')).not.toContain(9)
  })

  it('have no cohort below the smallest allowed', async () => {
    const { cohortSizes } = await learn({ dataset, until: dataset.to + 1 }, config, recall, () => Promise.resolve())
    expect(cohortSizes.length).toBeGreaterThan(1)
    expect(Math.min(...cohortSizes)).toBeGreaterThanOrEqual(config.minCohort)
  })

  it('never look past the window: later deeds change nothing that was learned before', async () => {
    const until = 1_000_200
    const cut = await learn(
      {
        dataset: datasetOf(
          300,
          10,
          deeds.filter(({ at }) => at < until),
        ),
        until,
      },
      config,
      recall,
      () => Promise.resolve(),
    )
    const whole = await learn({ dataset, until }, config, recall, () => Promise.resolve())
    expect(whole).toEqual(cut)
  })
})

describe('k-means', () => {
  it('finds clusters that are there, the same every time', async () => {
    const random = randomStream(3)
    const rows = Array.from({ length: 90 }, (_, i) => {
      const angle = (2 * Math.PI * (i % 3)) / 3 + 0.2 * (random() - 0.5)
      return [Math.cos(angle), Math.sin(angle)]
    })
    const { assignment, count } = await sphericalKMeans(Float32Array.from(rows.flat()), 2, 3, 1, 1)
    expect(count).toBe(3)
    for (let i = 3; i < 90; i++) expect(assignment[i]).toBe(assignment[i % 3])
    for (const threads of [1, 2])
      expect((await sphericalKMeans(Float32Array.from(rows.flat()), 2, 3, 1, 1, threads)).assignment).toEqual(assignment)
  })

  it('finds a place for everyone where a part of very many rows says where the clusters are', async () => {
    const rows = 450_001
    const vectors = new Float32Array(2 * rows)
    for (let row = 0; row < rows; row++) {
      const angle = (2 * Math.PI * (row % 3)) / 3 + 0.1 * (row % 2)
      vectors.set([Math.cos(angle), Math.sin(angle)], 2 * row)
    }
    const { assignment, count } = await sphericalKMeans(vectors, 2, 3, 1, 1)
    expect(count).toBe(3)
    expect(new Set(assignment.subarray(0, 3)).size).toBe(3)
    expect(assignment.every((cluster, row) => cluster === assignment[row % 3])).toBe(true)
  })
})

describe('decisions', () => {
  const dataset = datasetOf(2, 5, [
    { visitor: 0, item: 0, at: 100 },
    { visitor: 0, item: 1, at: 200, deed: 2 },
    { visitor: 0, item: 0, at: 300 },
    { visitor: 0, item: 2, at: 400 },
    { visitor: 1, item: 3, at: 300 },
  ])

  it('see what came before, newest first, and want what comes after', () => {
    const decisions = sampleDecisions(dataset, 300, { decisions: 10, remembered: 50, seed: 1, timed: true })
    expect(decisions.map(({ history, next }) => ({ history: history.map(({ item }) => item), next: [...next] }))).toEqual(
      expect.arrayContaining([
        { history: [1, 0], next: [0] },
        { history: [0, 1], next: [2] },
      ]),
    )
    expect(decisions).toHaveLength(2)
  })

  it('ask once for all that a visitor has beyond the parting, where times say nothing', () => {
    const [opening, discovery] = sampleDecisions(dataset, 150, { decisions: 10, remembered: 50, seed: 1, timed: false })
    expect(opening).toMatchObject({ visitor: 0, kind: 'opening', next: new Set([1, 0, 2]) })
    expect(opening.history.map(({ item }) => item)).toEqual([0])
    expect(discovery).toMatchObject({ visitor: 0, kind: 'discovery', next: new Set([1, 2]), barred: new Set([0]) })
    expect(sampleDecisions(dataset, 150, { decisions: 10, remembered: 50, seed: 1, timed: false })).toHaveLength(2)
    expect(sampleDecisions(dataset, 150, { decisions: 10, remembered: 50, seed: 1, timed: true }).length).toBeGreaterThan(2)
  })

  it('ask as of a night for what comes first, and for what comes first that is new', () => {
    const asked = decisionsAt(dataset, [50, 250, 350], { decisions: 10, remembered: 50, seed: 1 })
    const told = asked.map(({ at, kind, history, next }) => ({ at, kind, history: history.map(({ item }) => item), next: [...next] }))
    expect(told).toHaveLength(4)
    expect(told).toEqual(
      expect.arrayContaining([
        { at: 250, kind: 'opening', history: [1, 0], next: [0] },
        { at: 250, kind: 'discovery', history: [1, 0], next: [2] },
        { at: 350, kind: 'opening', history: [0, 1], next: [2] },
        { at: 350, kind: 'discovery', history: [0, 1], next: [2] },
      ]),
    )
    expect(asked.every(({ at, history }) => history.every(({ age }) => age <= at - 100))).toBe(true)
  })

  it('remember the most committed deed of an item', () => {
    expect(historyOf(dataset.deeds, 0, 4, 50, 500)).toEqual([
      { item: 2, deed: 0, age: 100 },
      { item: 0, deed: 0, age: 200 },
      { item: 1, deed: 2, age: 300 },
    ])
  })
})

describe('the ranker', () => {
  it('compares ages only where the catalogue reaches back before the record', () => {
    const dataset = datasetOf(2, 3, [{ visitor: 0, item: 0, at: 5_000 }])
    const dated = (firstSeen: number[]) => ({
      ...dataset,
      from: 5_000,
      items: dataset.items.map((item, i) => ({ ...item, firstSeen: firstSeen[i] })),
    })
    const hidden = (firstSeen: number[]): string[] => unseen({ timed: true }, dated(firstSeen)).map((position) => features[position].name)
    expect(hidden([4_000, 1, 5_000])).toEqual([])
    expect(hidden([4_000, 0, 5_000])).toEqual(['ageGap', 'historyAge'])
  })

  it('learns which feature decides, from raw features of any scale', async () => {
    const random = randomStream(9)
    const examples = Array.from({ length: 400 }, () => {
      const features = Float32Array.from({ length: 10 * 3 }, (_, i) => random() * (i % 3 === 1 ? 1000 : 1))
      const decisive = Array.from({ length: 10 }, (_, row) => features[row * 3 + 1])
      return { features, count: 10, taken: [decisive.indexOf(Math.max(...decisive))] }
    })
    const weights = await trainRanker(examples, { features: 3, epochs: 30, seed: 1 })
    const right = examples.filter(({ features, taken }) => {
      const scores = new Float32Array(10)
      referenceScores(weights, features, 10, scores)
      return scores.indexOf(Math.max(...scores)) === taken[0]
    })
    expect(right.length).toBeGreaterThan(360)
  })
})

describe('a bound on pairs', () => {
  /** Visitors with 1 … 20 items each. */
  const crowd = (): Interactions => {
    const deeds = Array.from({ length: 2000 }, (_, visitor) => visitor).flatMap((visitor) =>
      Array.from({ length: 1 + (visitor % 20) }, (_, i) => ({ visitor, item: (visitor * 7 + 13 * i) % 300, at: 1000 + i })),
    )
    return interactions({ dataset: datasetOf(2000, 300, deeds), until: 5000 }, 30)
  }
  const pairsOf = ({ visitorItems }: Interactions): number => visitorItems.reduce((sum, count) => sum + count * count, 0)

  it('leaves everyone where there are no more', () => {
    const all = crowd()
    expect(withMostPairs(all, pairsOf(all))).toBe(all)
  })

  it('leaves as many visitors as have about so many, whole, and the same every time', () => {
    const all = crowd()
    const some = withMostPairs(all, pairsOf(all) / 4)
    expect(pairsOf(some) / pairsOf(all)).toBeGreaterThan(0.2)
    expect(pairsOf(some) / pairsOf(all)).toBeLessThan(0.3)
    expect(withMostPairs(all, pairsOf(all) / 4)).toEqual(some)
    // One in twenty has every length from 1 to 20.
    for (let length = 1; length <= 20; length++) expect(some.visitorItems).toContain(length)
    expect(some.byItem.rows).toBe(all.byItem.rows)
  })

  it('counts visitor–item pairs where those are what there is too much of', () => {
    const all = crowd()
    const entries = all.byVisitor.index.length
    expect(withMostEntries(all, entries)).toBe(all)
    const some = withMostEntries(all, entries / 4).byVisitor.index.length
    expect(some / entries).toBeGreaterThan(0.2)
    expect(some / entries).toBeLessThan(0.3)
  })
})

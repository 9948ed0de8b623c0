import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { noImpressions } from '../../batch/dataset.ts'
import { learnRelease } from '../../batch/evaluate/release.ts'
import { ingest } from '../../batch/ingest.ts'
import {
  clickedPositions,
  clickWeight,
  positionBias,
  propensitiesByEm,
  propensitiesByRate,
  type Shown,
} from '../../batch/ranker/position-bias.ts'
import { trainRanker } from '../../batch/ranker/train.ts'
import { edge } from '../../batch/sources/edge.ts'
import { randomStream } from '../../shared/random.ts'
import { referenceScores } from '../../shared/ranking/reference-scorer.ts'
import { checkEntry } from '../../shared/release/manifest.ts'
import { datasetOf } from './support/dataset-of.ts'

const TRUE_PROPENSITIES = [1, 0.8, 0.62, 0.5, 0.42, 0.36, 0.3, 0.26, 0.22, 0.2]
const ITEMS = 30

/**
 * Lists of ten of thirty items, clicked as the position-based model says.
 * @param noise 0 = always the most attractive first, so that place and item say the same; large = any order
 */
function simulate(lists: number, noise: number, seed: number): Shown {
  const random = randomStream(seed)
  const attraction = Array.from({ length: ITEMS }, (_, item) => 0.05 + (0.55 * item) / ITEMS)
  const rows: { item: number; position: number; clickedAt: number }[] = []
  for (let list = 0; list < lists; list++) {
    const order = attraction.map((value, item) => ({ item, key: value + noise * random() })).sort((a, b) => b.key - a.key)
    TRUE_PROPENSITIES.forEach((propensity, place) => {
      const { item } = order[place]
      rows.push({ item, position: place + 1, clickedAt: random() < propensity * attraction[item] ? 1 : 0 })
    })
  }
  return shownOf(rows)
}

const shownOf = (rows: { item: number; position: number; clickedAt: number }[]): Shown => ({
  count: rows.length,
  item: Uint32Array.from(rows, ({ item }) => item),
  position: Uint8Array.from(rows, ({ position }) => position),
  clickedAt: Uint32Array.from(rows, ({ clickedAt }) => clickedAt),
})

const worst = (found: readonly number[]): number =>
  Math.max(...TRUE_PROPENSITIES.map((propensity, place) => Math.abs(propensity - (found[place] ?? 0))))

describe('propensities of places', () => {
  it('are found again from a random order, by rate and by the model', () => {
    const shown = simulate(20_000, 1000, 1)
    expect(worst(propensitiesByRate(shown))).toBeLessThan(0.03)
    expect(worst(propensitiesByEm(shown))).toBeLessThan(0.03)
  })

  it('are found again by the model where better items stand higher, and the rate alone is deceived', () => {
    const shown = simulate(20_000, 0.6, 2)
    expect(worst(propensitiesByEm(shown))).toBeLessThan(0.03)
    expect(worst(propensitiesByRate(shown))).toBeGreaterThan(0.06)
  })

  it('take no side on few clicks, and are part of the evidence on enough', () => {
    expect(positionBias(simulate(50, 1, 3))).toBeUndefined()
    const bias = positionBias(simulate(2000, 1, 3))
    expect(bias?.impressions).toBe(20_000)
    expect(bias?.propensities).toHaveLength(TRUE_PROPENSITIES.length)
  })

  it('weigh a click by one over them, within bounds', () => {
    const bias = { impressions: 1, clicks: 1, propensities: [1, 0.5, 0.01, 0] }
    expect([0, 1, 2, 3, 4, 50].map((position) => clickWeight(bias, position))).toEqual([1, 1, 2, 4, 4, 1])
    expect(clickWeight(undefined, 2)).toBe(1)
  })
})

const RANDOM = join(import.meta.dirname, '../../../shared/data/open-bandit/random')

describe.skipIf(!existsSync(RANDOM))('the Open Bandit log, uniformly random over items (skipped where ../shared/data is not there)', () => {
  it.each(['men', 'women'])('says of three places of %s the same by rate and by the model', (campaign) => {
    const lines = gunzipSync(readFileSync(join(RANDOM, campaign, `${campaign}.csv.gz`)))
      .toString()
      .trim()
      .split('\n')
    const columns = lines[0].split(',')
    const [item, position, click] = ['item_id', 'position', 'click'].map((name) => columns.indexOf(name))
    const rows = lines.slice(1).map((line) => line.split(',').map(Number))
    const shown = shownOf(rows.map((row) => ({ item: row[item], position: row[position], clickedAt: row[click] })))
    expect(shown.count).toBe(10_000)
    const rate = propensitiesByRate(shown)
    const model = propensitiesByEm(shown)
    expect(rate).toHaveLength(3)
    expect(Math.max(...rate)).toBe(1)
    rate.forEach((value, place) => {
      // Some 50 clicks on three places: what an item's few clicks take away from its place.
      expect(Math.abs(model[place] - value)).toBeLessThan(0.1)
    })
    // Three cards side by side, all looked at: nothing like the fall of a long list.
    expect(Math.min(...rate)).toBeGreaterThan(0.4)
  })
})

describe('a click on a recommendation', () => {
  it('is known by visitor, item and time', () => {
    const dataset = datasetOf(2, 5, [
      { visitor: 0, item: 1, at: 100 },
      { visitor: 0, item: 2, at: 150 },
      { visitor: 1, item: 1, at: 100 },
    ])
    const impressions = {
      count: 3,
      visitor: Uint32Array.of(0, 0, 1),
      item: Uint32Array.of(1, 2, 1),
      position: Uint8Array.of(7, 8, 3),
      list: Uint32Array.of(0, 0, 1),
      at: Uint32Array.of(90, 90, 80),
      clickedAt: Uint32Array.of(100, 0, 99),
    }
    expect(Array.from(clickedPositions({ ...dataset, impressions }))).toEqual([7, 0, 0])
    expect(Array.from(clickedPositions(dataset))).toEqual([0, 0, 0])
  })

  it('teaches more, the more it weighs', async () => {
    // The same two candidates; one half took the first, the other the second.
    const example = (taken: number, weight: number) => ({ features: Float32Array.of(0, 1), count: 2, taken: [taken], weight })
    const gap = async (weight: number): Promise<number> => {
      const examples = Array.from({ length: 200 }, (_, i) => example(i % 2, i % 2 === 1 ? weight : 1))
      const out = new Float32Array(2)
      referenceScores(await trainRanker(examples, { features: 1, epochs: 60, seed: 1 }), Float32Array.of(0, 1), 2, out)
      return out[1] - out[0]
    }
    expect(Math.abs(await gap(1))).toBeLessThan(0.15)
    // At the optimum the odds are the weights' ratio.
    expect(Math.abs((await gap(2.5)) - Math.log(2.5))).toBeLessThan(0.25)
  })
})

describe('a night after many impressions', () => {
  it('has in its evidence where visitors look', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nightjar-shown-'))
    try {
      writeFileSync(
        join(folder, 'log.ndjson'),
        recorded(1200)
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
      )
      const train = await ingest([edge(folder)], { threads: 1, workDirectory: folder })
      const config = readConfig(undefined, { trials: 1, epochs: 8, decisions: 1200, minVisitors: 1 })
      const { release, manifest } = await learnRelease({ train }, config, silentProgress)
      expect((await checkEntry({ release, manifest: JSON.parse(JSON.stringify(manifest)) })).manifest.positionBias).toEqual(
        manifest.positionBias,
      )
      const { impressions, clicks, propensities } = manifest.positionBias ?? { impressions: 0, clicks: 0, propensities: [] }
      expect(impressions).toBe(train.impressions.count)
      expect(clicks).toBe(train.deeds.count)
      expect(worst(propensities)).toBeLessThan(0.2)
      const unbiased = await learnRelease({ train: { ...train, impressions: noImpressions() } }, config, silentProgress)
      expect(unbiased.manifest.positionBias).toBeUndefined()
      expect(unbiased.manifest.core).toEqual(manifest.core)
      expect([manifest.ranker, unbiased.manifest.ranker]).toEqual(['mlp', 'mlp'])
      expect(unbiased.manifest.model).not.toEqual(manifest.model)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

/** What the edge would have recorded of visitors who see six lists each, a minute apart. */
function recorded(visitors: number): object[] {
  const shown = simulate(6 * visitors, 1000, 5)
  const width = TRUE_PROPENSITIES.length
  return Array.from({ length: 6 * visitors }, (_, list) => {
    const visitor = Math.floor(list / 6)
      .toString(16)
      .padStart(16, '0')
    const at = Date.UTC(2026, 9, 1) + 7_200_000 * Math.floor(list / 6) + 60_000 * (list % 6)
    const record = { v: 1, visitor, country: 'FR', recommId: `list-${list}` }
    const rows = Array.from({ length: width }, (_, place) => list * width + place)
    const name = (k: number): string => `item-${shown.item[k]}`
    const clicks = rows.filter((k) => shown.clickedAt[k] > 0)
    return [
      { ...record, id: `impression-${list}`, type: 'impression', items: rows.map(name), at, received: at },
      ...clicks.map((k, i) => ({
        ...record,
        id: `click-${list}-${i}`,
        type: 'click',
        item: name(k),
        at: at + 1000 * (i + 1),
        received: at + 9000,
      })),
    ]
  }).flat()
}

import { describe, expect, it } from 'vitest'
import { readConfig } from '../../batch/config.ts'
import { gathered, nightsOf, type ServedView } from '../../batch/ranker/choose.ts'
import { decisionsAt } from '../../batch/ranker/decisions.ts'
import { fadesFast, pastNights, servedOnNights } from '../../batch/ranker/past-nights.ts'
import type { Searched } from '../../batch/ranker/search-families.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { features } from '../../shared/ranking/features.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const DAY = 86_400
const START = 1_000 * DAY
const config = { ...readConfig(undefined), minVisitors: 1, halfLifeDays: 0.5 }
const recall = { ...USUAL_RECALL, selfWeight: 0, candidates: 50 }

/** Every day another item is what all forty visitors take, and a few take one at random besides. */
const DAYS = 20
const rows = Array.from({ length: 40 }, (_, visitor) => visitor).flatMap((visitor) =>
  Array.from({ length: DAYS }, (_, day): DeedRow[] => {
    const at = START + day * DAY + 600 * visitor
    const session = 2 * (visitor * DAYS + day)
    const other = 20 + ((7 * visitor + 3 * day) % 20)
    return [
      { visitor, item: day, at, session },
      { visitor, item: other, at: at + 40_000, session: session + 1 },
    ]
  }).flat(),
)
const dataset = datasetOf(40, 40, rows)
const PARTING = START + 10 * DAY

const nights = Array.from({ length: 9 }, (_, i) => PARTING + i * DAY)
const servedView = (): Promise<ServedView> => servedOnNights(dataset, nights, config, recall, () => Promise.resolve())

describe('past nights', () => {
  it('serve what was popular the day before, where the night of the parting still serves what was', async () => {
    const view = await servedView()
    const nightOf = nightsOf(view)
    for (const day of [11, 13, 16]) {
      const at = START + day * DAY + 1
      expect(nightOf({ at }).view.list('*', -1)?.items[0]).toBe(day - 1)
      expect(view.list('*', -1)?.items[0]).toBe(9)
    }
    expect(nightOf({ at: PARTING + 1 }).view).toMatchObject({ core: view.core })
  })

  it('are what a decision is ranked from, by features as of then', async () => {
    const view = await servedView()
    const popularity = features.findIndex(({ name }) => name === 'popularity')
    const shown = (served: ServedView, day: number): { first: number; popularity: number } => {
      const [decision] = decisionsAt(dataset, [START + day * DAY], { decisions: 10, remembered: 50, seed: 1 })
      const [{ candidates, features: all }] = gathered(served, [{ ...decision, history: decision.history.slice(3), barred: new Set() }])
      const i = candidates.item.indexOf(day - 1)
      return { first: candidates.item[0], popularity: i < 0 ? 0 : all()[i * features.length + popularity] }
    }
    expect(shown(view, 14).popularity).toBeGreaterThan(0.9)
    expect(shown({ ...view, later: [] }, 14).popularity).toBe(0)
  })

  it('lie over the last part of the deeds, a day or more apart', () => {
    const over = pastNights(dataset)
    expect(over[0]).toBeGreaterThanOrEqual(START + 11.9 * DAY)
    expect(over.at(-1)).toBeLessThanOrEqual(dataset.to)
    expect(over).toEqual(over.map((_, i) => over[0] + i * DAY))
    expect(over.length).toBe(8)
  })

  it('learn neighbours anew, from what came before each alone', async () => {
    const first = await servedOnNights(dataset, nights, { ...config, content: 0 }, recall, () => Promise.resolve())
    const neighboursOf = (item: number): number[] =>
      [first, ...(first.later ?? []).map(({ view }) => view)].map((view) => {
        const row = view.neighbours(item)
        return row === undefined ? 0 : row.to - row.from
      })
    expect(neighboursOf(12).map((count) => count > 0)).toEqual(nights.map((_, i) => i >= 3))
    expect(neighboursOf(17).map((count) => count > 0)).toEqual(nights.map((_, i) => i >= 8))
  })

  it('are lived through only where the last days foretell much more than the last months', () => {
    const searched = (fast: number): Pick<Searched, 'tried' | 'config'> => ({
      config: { ...config, halfLifeDays: 1.5 },
      tried: [
        { family: 'lists', setting: { halfLifeDays: 1.5 }, quality: fast },
        { family: 'lists', setting: { halfLifeDays: 30 }, quality: 0.2 },
      ],
    })
    expect(fadesFast(searched(0.26))).toBe(true)
    expect(fadesFast(searched(0.23))).toBe(false)
    expect(fadesFast({ ...searched(0.26), config: { ...config, halfLifeDays: 1.5, timed: false } })).toBe(false)
  })
})

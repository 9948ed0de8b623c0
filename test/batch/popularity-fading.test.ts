import { describe, expect, it } from 'vitest'
import { popularityQuality } from '../../batch/ranker/popularity-fading.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const DAY = 86_400
const DAYS = 100

/** One visitor a deed, twenty deeds a day, of the items that `itemOf` names. */
const shop = (itemOf: (day: number, nth: number) => number) => {
  const deeds: DeedRow[] = []
  for (let day = 0; day < DAYS; day++)
    for (let nth = 0; nth < 20; nth++) deeds.push({ visitor: deeds.length, item: itemOf(day, nth), at: day * DAY + nth })
  return datasetOf(deeds.length, 2000, deeds)
}
const until = 90 * DAY

describe('how well popularity foretells', () => {
  it('prefers to forget fast where other items are wanted every ten days', () => {
    const dataset = shop((day, nth) => 20 * Math.floor(day / 10) + nth)
    expect(popularityQuality({ dataset, until }, 3)).toBeGreaterThan(popularityQuality({ dataset, until }, 90))
  })

  it('prefers to remember where the same are wanted all the time, each seldom', () => {
    const dataset = shop((day, nth) => (nth < 10 ? (10 * day + nth) % 20 : 20 + ((37 * day + 101 * nth) % 1900)))
    expect(popularityQuality({ dataset, until }, 90)).toBeGreaterThan(popularityQuality({ dataset, until }, 0.3))
  })

  it('is 1 plus the discounts’ share where twenty items are all there is', () => {
    const dataset = shop((_, nth) => nth)
    const discounts = Array.from({ length: 20 }, (_, place) => 1 / Math.log2(place + 2)).reduce((sum, value) => sum + value, 0)
    expect(popularityQuality({ dataset, until }, 30)).toBeCloseTo(1 + discounts / 20, 2)
  })

  it('does not look at what happens from the end of the window on', () => {
    const before = shop((_, nth) => nth)
    const changed = shop((day, nth) => (day < 90 ? nth : 1000 + nth))
    expect(popularityQuality({ dataset: changed, until }, 30)).toBe(popularityQuality({ dataset: before, until }, 30))
  })
})

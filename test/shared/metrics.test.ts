import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hitRateAt, ndcgAt, recallAt, reciprocalRankAt } from '../../shared/metrics.ts'

describe('ranking metrics', () => {
  it('agree with figures worked out by hand', () => {
    const slate = [4, 2, 9, 7]
    const relevant = new Set([2, 7, 5])
    expect(recallAt(slate, relevant, 4)).toBeCloseTo(2 / 3)
    expect(reciprocalRankAt(slate, relevant, 4)).toBe(1 / 2)
    expect(hitRateAt(slate, relevant, 1)).toBe(0)
    const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4)
    expect(ndcgAt(slate, relevant, 4)).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / ideal)
  })

  it('are 1 for the ideal slate, never leave 0 … 1, and with one relevant item recall is hit rate', () => {
    const slates = fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 30 })
    fc.assert(
      fc.property(slates, slates, fc.integer({ min: 1, max: 30 }), (slate, relevant, k) => {
        for (const metric of [recallAt, ndcgAt, reciprocalRankAt, hitRateAt]) {
          const value = metric(slate, new Set(relevant), k)
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1 + 1e-12)
        }
        if (relevant.length > 0) expect(ndcgAt(relevant, new Set(relevant), k)).toBeCloseTo(1)
        const one = new Set(relevant.slice(0, 1))
        expect(recallAt(slate, one, k)).toBe(hitRateAt(slate, one, k))
      }),
    )
  })
})

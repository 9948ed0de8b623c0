import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { logShares, probabilities } from '../../shared/ranking/calibration.ts'

const scores = fc
  .array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 150 })
  .map((values) => Float64Array.from(values))

describe('calibrated scores', () => {
  it('shares sum to 1, whatever all scores have in common', () => {
    fc.assert(
      fc.property(scores, fc.double({ min: -500, max: 500, noNaN: true }), (given, shift) => {
        const shares = logShares(given)
        expect(shares.reduce((sum, share) => sum + Math.exp(share), 0)).toBeCloseTo(1, 9)
        const moved = logShares(given.map((score) => score + shift))
        shares.forEach((share, i) => {
          expect(moved[i]).toBeCloseTo(share, 9)
        })
      }),
    )
  })

  it('are probabilities and never turn the order round', () => {
    const parameters = fc.record({
      slope: fc.double({ min: 0.01, max: 4, noNaN: true }),
      intercept: fc.double({ min: -5, max: 5, noNaN: true }),
    })
    fc.assert(
      fc.property(scores, parameters, (given, calibration) => {
        const chance = probabilities(calibration, given)
        const order = Array.from(given.keys()).sort((a, b) => given[b] - given[a])
        for (const [i, position] of order.entries()) {
          expect(chance(position)).toBeGreaterThanOrEqual(0)
          expect(chance(position)).toBeLessThanOrEqual(1)
          if (i > 0) expect(chance(position)).toBeLessThanOrEqual(chance(order[i - 1]))
        }
      }),
    )
  })
})

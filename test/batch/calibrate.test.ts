import { describe, expect, it } from 'vitest'
import { expectedCalibrationError, fitCalibration, type Outcomes } from '../../batch/ranker/calibrate.ts'
import { randomStream } from '../../shared/random.ts'
import { logShares, probability } from '../../shared/ranking/calibration.ts'

/** Candidates whose chances follow a known logistic of their log share. */
function outcomes(slope: number, intercept: number, seed: number): Outcomes {
  const random = randomStream(seed)
  const shares = Array.from({ length: 1500 }, () => logShares(Float64Array.from({ length: 40 }, () => 4 * random()))).flatMap((own) => [
    ...own,
  ])
  return {
    logShare: Float64Array.from(shares),
    taken: Uint8Array.from(shares, (share) => (random() < probability({ slope, intercept }, share) ? 1 : 0)),
  }
}

describe('calibration', () => {
  it.each([
    [1, 0],
    [0.6, -1],
    [1.8, 2],
  ])('finds slope %d and intercept %d again', (slope, intercept) => {
    const fit = fitCalibration(outcomes(slope, intercept, 7))
    expect(Math.abs((fit?.slope ?? 0) - slope)).toBeLessThan(0.15)
    expect(Math.abs((fit?.intercept ?? 0) - intercept)).toBeLessThan(0.6)
  })

  it('makes the error smaller on outcomes it was not fitted on', () => {
    const fit = fitCalibration(outcomes(0.5, -0.5, 1))
    const { logShare, taken } = outcomes(0.5, -0.5, 2)
    const before = expectedCalibrationError(logShare.map(Math.exp), taken)
    const after = expectedCalibrationError(
      logShare.map((share) => probability(fit ?? { slope: 1, intercept: 0 }, share)),
      taken,
    )
    expect(before).toBeGreaterThan(0.03)
    expect(after).toBeLessThan(before / 10)
  })

  it('is left out where nothing, or everything, was taken, or where a higher score is no better', () => {
    const logShare = Float64Array.of(-1, -2, -3, -4)
    expect(fitCalibration({ logShare, taken: Uint8Array.of(0, 0, 0, 0) })).toBeUndefined()
    expect(fitCalibration({ logShare, taken: Uint8Array.of(1, 1, 1, 1) })).toBeUndefined()
    expect(fitCalibration({ logShare, taken: Uint8Array.of(0, 0, 1, 1) })).toBeUndefined()
    expect(fitCalibration({ logShare: new Float64Array(0), taken: new Uint8Array(0) })).toBeUndefined()
  })

  it('counts the error by tenths of probability', () => {
    const error = expectedCalibrationError(Float64Array.of(0.25, 0.25, 0.95, 1), Uint8Array.of(1, 0, 1, 1))
    expect(error).toBeCloseTo((0.5 + 0.05) / 4, 12)
  })
})

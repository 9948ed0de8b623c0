import { type Calibration, logShares, probability } from '../../shared/ranking/calibration.ts'
import { roundScore, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { gathered, rankerScores, rounded, type ServedView } from './choose.ts'
import type { Decision } from './decisions.ts'

/** Candidates of many decisions, one beside the other: the log of each one's softmax share, and whether it was taken next. */
export type Outcomes = { logShare: Float64Array; taken: Uint8Array }

export type Calibrated = {
  /** Undefined where the outcomes say nothing, or that a higher score is no better. */
  calibration: Calibration | undefined
  /** Expected calibration error on decisions that the fit did not see, of the shares themselves and of the probabilities. */
  metrics: Record<string, number>
}

/** Fits on the decisions of one half of the visitors and reports on the other half's. */
export function calibrate(view: ServedView, decisions: readonly Decision[], weights: Weights): Calibrated {
  const calibration = fitCalibration(
    outcomesOf(
      view,
      decisions.filter(({ half }) => half === 0),
      weights,
    ),
  )
  if (calibration === undefined) return { calibration, metrics: {} }
  const judged = decisions.filter(({ half }) => half === 1)
  const { logShare, taken } = outcomesOf(view, judged, weights)
  const error = (chance: Float64Array): number => rounded(expectedCalibrationError(chance, taken))
  return {
    calibration,
    metrics: {
      'calibration.decisions': judged.length,
      'calibration.taken': rounded(taken.reduce((sum, was) => sum + was, 0) / Math.max(1, taken.length)),
      'calibration.ece-before': error(logShare.map(Math.exp)),
      'calibration.ece': error(logShare.map((share) => probability(calibration, share))),
    },
  }
}

function outcomesOf(view: ServedView, decisions: readonly Decision[], weights: Weights): Outcomes {
  const shares: Float64Array[] = []
  const taken: number[] = []
  for (const { decision, candidates, features } of gathered(view, decisions)) {
    shares.push(logShares(Float64Array.from(rankerScores(weights, features(), candidates.count), roundScore)))
    // A visit takes several items, but one is the next: so that probabilities of a slate add up to at most 1.
    const [first] = decision.next
    for (const item of candidates.item) taken.push(item === first ? 1 : 0)
  }
  const logShare = new Float64Array(taken.length)
  let from = 0
  for (const own of shares) {
    logShare.set(own, from)
    from += own.length
  }
  return { logShare, taken: Uint8Array.from(taken) }
}

const STEPS = 50
const ENOUGH = 1e-9

/**
 * Platt's two parameters (Platt 1999, "Probabilistic outputs for support vector machines") by Newton's method with
 * backtracking, the targets drawn in from 0 and 1 as there (Lin, Lin & Weng 2007 on how to do it without overflow).
 */
export function fitCalibration({ logShare, taken }: Outcomes): Calibration | undefined {
  const positives = taken.reduce((sum, was) => sum + was, 0)
  const negatives = taken.length - positives
  if (positives === 0 || negatives === 0) return undefined
  const target = [1 / (negatives + 2), (positives + 1) / (positives + 2)]
  let fit: Calibration = { slope: 1, intercept: Math.log((positives + 1) / (negatives + 1)) }
  let loss = lossOf(fit, logShare, taken, target)
  for (let step = 0; step < STEPS; step++) {
    const move = newtonStep(fit, logShare, taken, target)
    let part = 1
    let next = fit
    let nextLoss = Number.POSITIVE_INFINITY
    for (; part > 1e-10; part /= 2) {
      next = { slope: fit.slope - part * move.slope, intercept: fit.intercept - part * move.intercept }
      nextLoss = lossOf(next, logShare, taken, target)
      if (nextLoss < loss) break
    }
    if (!(nextLoss < loss)) break
    const gain = loss - nextLoss
    fit = next
    loss = nextLoss
    if (gain < ENOUGH * loss) break
  }
  const calibration = { slope: rounded(fit.slope), intercept: rounded(fit.intercept) }
  return calibration.slope > 0 && Number.isFinite(calibration.intercept) ? calibration : undefined
}

function lossOf({ slope, intercept }: Calibration, logShare: Float64Array, taken: Uint8Array, target: readonly number[]): number {
  let loss = 0
  for (let k = 0; k < logShare.length; k++) {
    const z = slope * logShare[k] + intercept
    loss += Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - target[taken[k]] * z
  }
  return loss
}

/** The inverse Hessian times the gradient; the ridge keeps it solvable where all shares are equal. */
function newtonStep(fit: Calibration, logShare: Float64Array, taken: Uint8Array, target: readonly number[]): Calibration {
  const ridge = 1e-9
  let [g0, g1, h00, h01, h11] = [0, 0, ridge, 0, ridge]
  for (let k = 0; k < logShare.length; k++) {
    const share = logShare[k]
    const chance = probability(fit, share)
    const slope = chance - target[taken[k]]
    const curve = chance * (1 - chance)
    g0 += slope
    g1 += slope * share
    h00 += curve
    h01 += curve * share
    h11 += curve * share * share
  }
  const determinant = h00 * h11 - h01 * h01
  return { intercept: (h11 * g0 - h01 * g1) / determinant, slope: (h00 * g1 - h01 * g0) / determinant }
}

const BINS = 10

/** Σ over ten equal bins of their share of rows × |mean probability − share taken| (Naeini, Cooper & Hauskrecht 2015). */
export function expectedCalibrationError(chance: Float64Array, taken: Uint8Array): number {
  const gap = new Float64Array(BINS)
  for (let k = 0; k < chance.length; k++) gap[Math.min(BINS - 1, Math.floor(chance[k] * BINS))] += chance[k] - taken[k]
  return gap.reduce((sum, value) => sum + Math.abs(value), 0) / Math.max(1, chance.length)
}

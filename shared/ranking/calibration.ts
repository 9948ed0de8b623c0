/**
 * What turns the ranker's scores into probabilities. The loss is listwise, so a score means something only beside the
 * others of its request: what is calibrated is the logarithm of its softmax share among them. `slope` is above 0, so the
 * order stays.
 */
export type Calibration = { slope: number; intercept: number }

/** Log of the sum of exp(score), beside which a score is a log share. */
function logTotal(scores: Float64Array): number {
  let most = Number.NEGATIVE_INFINITY
  for (let i = 0; i < scores.length; i++) most = Math.max(most, scores[i])
  let sum = 0
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i] - most)
  return most + Math.log(sum)
}

/** Log of each score's softmax share of its request (ListNet's top-one probability, Cao et al. 2007); below or at 0. */
export function logShares(scores: Float64Array): Float64Array {
  const total = logTotal(scores)
  return scores.map((score) => score - total)
}

/** 1 / (1 + exp(-(slope · share + intercept))), Platt 1999, of a log share. */
export const probability = ({ slope, intercept }: Calibration, logShare: number): number =>
  1 / (1 + Math.exp(-(slope * logShare + intercept)))

/** Most items of a catalogue are taken once in a thousand times or less: coarser steps would make them all equal. */
export const roundProbability = (value: number): number => Math.round(value * 1e6) / 1e6

/** The probability that the candidate at a position is taken next, rounded to 1e-6; made for those that are asked for, which are few. */
export function probabilities(calibration: Calibration, scores: Float64Array): (position: number) => number {
  const total = logTotal(scores)
  return (position) => roundProbability(probability(calibration, scores[position] - total))
}

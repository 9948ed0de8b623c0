import { HIDDEN, parameterLayout } from '../../ranker/parameters.ts'
import type { Example, Gradients, Moments } from '../gradients.ts'

/** The kernel of gradients.ts in plain TypeScript and double precision: what it is held to. */
export const plainGradients =
  (examples: readonly Example[], moments: Moments): Gradients =>
  async (parameters, batch, gradient) => {
    gradient.fill(0)
    let loss = 0
    for (const i of batch) loss += addExample(examples[i], moments, parameters, gradient)
    return loss
  }

function addExample(
  { features: raw, count, taken }: Example,
  { mean, deviation }: Moments,
  parameters: Float64Array,
  gradient: Float64Array,
): number {
  const features = mean.length
  const { w0, b0, w1, skip } = parameterLayout(features)
  const x = new Float64Array(count * features)
  const layer = new Float64Array(count * HIDDEN)
  const score = new Float64Array(count)
  let most = Number.NEGATIVE_INFINITY
  for (let row = 0; row < count; row++) {
    const h = row * HIDDEN
    for (let k = 0; k < HIDDEN; k++) layer[h + k] = parameters[b0 + k]
    let y = 0
    for (let f = 0; f < features; f++) {
      const value = (raw[row * features + f] - mean[f]) / deviation[f]
      x[row * features + f] = value
      y += value * parameters[skip + f]
      for (let k = 0; k < HIDDEN; k++) layer[h + k] += value * parameters[w0 + f * HIDDEN + k]
    }
    for (let k = 0; k < HIDDEN; k++) {
      if (layer[h + k] > 0) y += layer[h + k] * parameters[w1 + k]
      else layer[h + k] = 0
    }
    score[row] = y
    most = Math.max(most, y)
  }
  let sum = 0
  for (let row = 0; row < count; row++) sum += Math.exp(score[row] - most)
  let loss = 0
  const target = new Float64Array(count)
  for (const row of taken) {
    target[row] = 1 / taken.length
    loss -= (score[row] - most - Math.log(sum)) / taken.length
  }
  const back = new Float64Array(HIDDEN)
  for (let row = 0; row < count; row++) {
    const slope = Math.exp(score[row] - most) / sum - target[row]
    // Most candidates are clearly not taken: their slope is next to nothing and moves nothing.
    if (Math.abs(slope) < 1e-4) continue
    const h = row * HIDDEN
    for (let k = 0; k < HIDDEN; k++) {
      gradient[w1 + k] += slope * layer[h + k]
      back[k] = layer[h + k] > 0 ? slope * parameters[w1 + k] : 0
      gradient[b0 + k] += back[k]
    }
    for (let f = 0; f < features; f++) {
      const value = x[row * features + f]
      gradient[skip + f] += slope * value
      for (let k = 0; k < HIDDEN; k++) gradient[w0 + f * HIDDEN + k] += value * back[k]
    }
  }
  return loss
}

import { normal, randomStream } from '../../shared/random.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'

/** Candidates of one decision: count × features, and which of them the visitor took. */
export type Example = { features: Float32Array; count: number; taken: number[] }

export type TrainOptions = { features: number; epochs: number; seed: number; onEpoch?: (epoch: number, loss: number) => Promise<void> }

export const HIDDEN = 32
const BATCH = 32
const RATE = 3e-3
const DECAY = 1e-5

/** A ranker that scores everything 0: what a release carries when validation chose none. */
export const noWeights = (features: number): Weights => ({
  features,
  hidden: HIDDEN,
  w0: new Float32Array(features * HIDDEN),
  b0: new Float32Array(HIDDEN),
  w1: new Float32Array(HIDDEN),
  b1: new Float32Array(1),
  skip: new Float32Array(features),
})

/**
 * Learns y = relu(x·W0 + b0)·w1 + x·skip by the listwise softmax loss (ListNet's top-one probability, Cao et al. 2007,
 * with the taken items as a uniform target), Adam (Kingma & Ba 2015), cosine rate. Features are standardised for the
 * fit and the standardisation is folded into the returned weights, so that raw features go in.
 */
export async function trainRanker(examples: readonly Example[], options: TrainOptions): Promise<Weights> {
  const { features, epochs, seed } = options
  const { mean, deviation } = moments(examples, features)
  const random = randomStream(seed)
  const fill = (length: number, scale: number): Float64Array => Float64Array.from({ length }, () => normal(random) * scale)
  const w0 = fill(features * HIDDEN, Math.sqrt(2 / features))
  const b0 = new Float64Array(HIDDEN)
  const w1 = fill(HIDDEN, Math.sqrt(1 / HIDDEN))
  const skip = new Float64Array(features)
  const parameters = [w0, b0, w1, skip].map((value) => ({
    value,
    gradient: value.map(() => 0),
    first: value.map(() => 0),
    second: value.map(() => 0),
  }))
  const total = Math.max(1, epochs * Math.ceil(examples.length / BATCH))
  let update = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(examples.length, random)
    let loss = 0
    for (let from = 0; from < order.length; from += BATCH) {
      const batch = order.slice(from, from + BATCH)
      for (const i of batch) loss += addGradients(examples[i], mean, deviation, parameters)
      update++
      adam(parameters, batch.length, update, RATE * 0.5 * (1 + Math.cos((Math.PI * update) / total)))
    }
    await options.onEpoch?.(epoch + 1, loss / examples.length)
  }
  return foldStandardisation({ w0, b0, w1, skip }, mean, deviation)
}

type Parameter = { value: Float64Array; gradient: Float64Array; first: Float64Array; second: Float64Array }

function moments(examples: readonly Example[], features: number): { mean: Float64Array; deviation: Float64Array } {
  const mean = new Float64Array(features)
  const square = new Float64Array(features)
  let rows = 0
  for (const { features: x, count } of examples) {
    for (let k = 0; k < count * features; k++) {
      mean[k % features] += x[k]
      square[k % features] += x[k] * x[k]
    }
    rows += count
  }
  const deviation = square.map((sum, f) => Math.sqrt(Math.max(sum / rows - (mean[f] / rows) ** 2, 0)))
  return { mean: mean.map((sum) => sum / rows), deviation: deviation.map((value) => (value > 1e-6 ? value : Number.POSITIVE_INFINITY)) }
}

function addGradients(example: Example, mean: Float64Array, deviation: Float64Array, parameters: Parameter[]): number {
  const [p0, pb, p1, ps] = parameters
  const { count, taken } = example
  const features = mean.length
  const x = new Float64Array(count * features)
  const layer = new Float64Array(count * HIDDEN)
  const score = new Float64Array(count)
  let most = Number.NEGATIVE_INFINITY
  for (let row = 0; row < count; row++) {
    const h = row * HIDDEN
    for (let k = 0; k < HIDDEN; k++) layer[h + k] = pb.value[k]
    let y = 0
    for (let f = 0; f < features; f++) {
      const value = (example.features[row * features + f] - mean[f]) / deviation[f]
      x[row * features + f] = value
      y += value * ps.value[f]
      for (let k = 0; k < HIDDEN; k++) layer[h + k] += value * p0.value[f * HIDDEN + k]
    }
    for (let k = 0; k < HIDDEN; k++) {
      if (layer[h + k] > 0) y += layer[h + k] * p1.value[k]
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
      p1.gradient[k] += slope * layer[h + k]
      back[k] = layer[h + k] > 0 ? slope * p1.value[k] : 0
      pb.gradient[k] += back[k]
    }
    for (let f = 0; f < features; f++) {
      const value = x[row * features + f]
      ps.gradient[f] += slope * value
      for (let k = 0; k < HIDDEN; k++) p0.gradient[f * HIDDEN + k] += value * back[k]
    }
  }
  return loss
}

function adam(parameters: Parameter[], count: number, update: number, rate: number): void {
  for (const { value, gradient, first, second } of parameters) {
    for (let k = 0; k < value.length; k++) {
      const slope = gradient[k] / count + DECAY * value[k]
      gradient[k] = 0
      first[k] = 0.9 * first[k] + 0.1 * slope
      second[k] = 0.999 * second[k] + 0.001 * slope * slope
      value[k] -= (rate * (first[k] / (1 - 0.9 ** update))) / (Math.sqrt(second[k] / (1 - 0.999 ** update)) + 1e-8)
    }
  }
}

function shuffled(length: number, random: () => number): number[] {
  const order = Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = order[i]
    order[i] = order[j]
    order[j] = held
  }
  return order
}

type Fitted = { w0: Float64Array; b0: Float64Array; w1: Float64Array; skip: Float64Array }

function foldStandardisation({ w0, b0, w1, skip }: Fitted, mean: Float64Array, deviation: Float64Array): Weights {
  const weights = noWeights(mean.length)
  const bias = b0.slice()
  let shift = 0
  for (let f = 0; f < mean.length; f++) {
    weights.skip[f] = skip[f] / deviation[f]
    shift -= (skip[f] * mean[f]) / deviation[f]
    for (let k = 0; k < HIDDEN; k++) {
      weights.w0[f * HIDDEN + k] = w0[f * HIDDEN + k] / deviation[f]
      bias[k] -= (w0[f * HIDDEN + k] * mean[f]) / deviation[f]
    }
  }
  weights.b0.set(bias)
  weights.w1.set(w1)
  weights.b1[0] = shift
  return weights
}

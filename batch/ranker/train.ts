import { normal, randomStream } from '../../shared/random.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { inArena } from '../kernels/arena.ts'
import { type Example, type Gradients, kernelGradients, type Moments } from '../kernels/gradients.ts'
import { threadsFor, withThreads } from '../kernels/threads.ts'
import { HIDDEN, parameterLayout } from './parameters.ts'

export type TrainOptions = {
  features: number
  epochs: number
  seed: number
  /** Features held at 0, by position: what the ranker is without them. */
  without?: readonly number[]
  /** Without the hidden layer, which begins at 0 and therefore stays there. */
  linear?: boolean
  /** As many as are worth it when absent; the result is the same. */
  threads?: number
  onEpoch?: (epoch: number, loss: number) => Promise<void>
}

const BATCH = 32
/**
 * The hidden layer begins this much smaller than He et al. (2015) have it, and bends only where the examples ask for it:
 * on few decisions that ranks better, and hangs less on the seed.
 */
const HIDDEN_START = 0.1
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
  const given = momentsOf(examples, options.features)
  for (const feature of options.without ?? []) given.deviation[feature] = Number.POSITIVE_INFINITY
  const rows = examples.reduce((sum, { count }) => sum + count, 0)
  const threads = options.threads ?? threadsFor(3 * options.epochs * rows * options.features * HIDDEN)
  return inArena((arena) =>
    withThreads(arena, threads, (run) =>
      descend(kernelGradients(arena, run, threads, examples, given, BATCH), given, weightsOf(examples), options),
    ),
  )
}

export const weightsOf = (examples: readonly Example[]): number[] => examples.map(({ weight = 1 }) => weight)

/** @param weights of the examples that `gradients` knows: how often each counts in an epoch, on average */
export async function descend(gradients: Gradients, moments: Moments, weights: readonly number[], options: TrainOptions): Promise<Weights> {
  const { features, epochs, seed } = options
  const layout = parameterLayout(features)
  const random = randomStream(seed)
  const parameters = new Float64Array(layout.length)
  const fill = (from: number, length: number, scale: number): void => {
    for (let k = from; k < from + length; k++) parameters[k] = normal(random) * scale
  }
  fill(layout.w0, features * HIDDEN, options.linear ? 0 : HIDDEN_START * Math.sqrt(2 / features))
  fill(layout.w1, HIDDEN, options.linear ? 0 : Math.sqrt(1 / HIDDEN))
  const gradient = new Float64Array(layout.length)
  const adam = adamOf(parameters)
  const count = weights.reduce((sum, weight) => sum + weight, 0)
  const total = Math.max(1, epochs * Math.ceil(count / BATCH))
  let update = 0
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(drawn(weights, random), random)
    let loss = 0
    for (let from = 0; from < order.length; from += BATCH) {
      const batch = order.slice(from, from + BATCH)
      loss += await gradients(parameters, batch, gradient)
      update++
      adam(gradient, batch.length, update, RATE * 0.5 * (1 + Math.cos((Math.PI * Math.min(update, total)) / total)))
    }
    await options.onEpoch?.(epoch + 1, loss / count)
  }
  return foldStandardisation(parameters, moments)
}

export function momentsOf(examples: readonly Example[], features: number): Moments {
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

/** Moves the parameters against the gradient of `count` examples. */
function adamOf(parameters: Float64Array): (gradient: Float64Array, count: number, update: number, rate: number) => void {
  const first = new Float64Array(parameters.length)
  const second = new Float64Array(parameters.length)
  return (gradient, count, update, rate) => {
    const [unbias, unbiasSquare] = [1 - 0.9 ** update, 1 - 0.999 ** update]
    for (let k = 0; k < parameters.length; k++) {
      const slope = gradient[k] / count + DECAY * parameters[k]
      first[k] = 0.9 * first[k] + 0.1 * slope
      second[k] = 0.999 * second[k] + 0.001 * slope * slope
      parameters[k] -= (rate * (first[k] / unbias)) / (Math.sqrt(second[k] / unbiasSquare) + 1e-8)
    }
  }
}

/** Every example as often as its weight says; a part of a time is a chance. Whole weights draw nothing. */
const drawn = (weights: readonly number[], random: () => number): number[] =>
  weights.flatMap((weight, i) => {
    const whole = Math.floor(weight)
    const times = whole === weight || random() >= weight - whole ? whole : whole + 1
    return Array.from({ length: times }, () => i)
  })

function shuffled(order: number[], random: () => number): number[] {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = order[i]
    order[i] = order[j]
    order[j] = held
  }
  return order
}

function foldStandardisation(parameters: Float64Array, { mean, deviation }: Moments): Weights {
  const { w0, b0, w1, skip } = parameterLayout(mean.length)
  const weights = noWeights(mean.length)
  const bias = parameters.slice(b0, b0 + HIDDEN)
  let shift = 0
  for (let f = 0; f < mean.length; f++) {
    weights.skip[f] = parameters[skip + f] / deviation[f]
    shift -= (parameters[skip + f] * mean[f]) / deviation[f]
    for (let k = 0; k < HIDDEN; k++) {
      const weight = parameters[w0 + f * HIDDEN + k]
      weights.w0[f * HIDDEN + k] = weight / deviation[f]
      bias[k] -= (weight * mean[f]) / deviation[f]
    }
  }
  weights.b0.set(bias)
  weights.w1.set(parameters.subarray(w1, w1 + HIDDEN))
  weights.b1[0] = shift
  return weights
}

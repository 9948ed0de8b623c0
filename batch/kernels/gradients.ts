import { parameterLayout } from '../ranker/parameters.ts'
import { type Arena, addresses } from './arena.ts'
import type { Run } from './threads.ts'

/**
 * Candidates of one decision: count × features, and which of them the visitor took (at least one). `weight` is how often
 * the decision counts, at least once (training repeats it: the gradients know no weight); absent = 1.
 */
export type Example = { features: Float32Array; count: number; taken: number[]; weight?: number }

/** What features are before they are compared: (x - mean) / deviation. */
export type Moments = { mean: Float64Array; deviation: Float64Array }

/**
 * Sums over a batch, of examples by index, at the given parameters (`parameterLayout`).
 * @returns the loss; the gradient is in the given array
 */
export type Gradients = (parameters: Float64Array, batch: readonly number[], gradient: Float64Array) => Promise<number>

/** Gradients are added up by part of so many examples, and parts in their order: however many threads there are. */
const PART = 4

/**
 * The loss's gradients in single precision. Examples are copied for each batch: all of them together may take gigabytes.
 * @param most examples of a batch
 */
export function kernelGradients(
  arena: Arena,
  run: Run,
  threads: number,
  examples: readonly Example[],
  { mean, deviation }: Moments,
  most: number,
): Gradients {
  const features = mean.length
  const { length } = parameterLayout(features)
  const rows = examples.reduce((top, { count }) => Math.max(top, count), 0)
  const takenRows = examples.reduce((top, { taken }) => Math.max(top, taken.length), 0)
  const x = arena.f32(most * rows * features)
  const firstRow = arena.u32(most + 1)
  const firstTaken = arena.u32(most + 1)
  const taken = arena.u32(most * takenRows)
  const parameters = arena.f32(length)
  const means = arena.f32(features)
  means.set(mean)
  const inverse = arena.f32(features)
  inverse.set(deviation.map((value) => 1 / value))
  const parts = arena.f32(Math.ceil(most / PART) * length)
  const report = arena.f32(2 * most)
  const mostRows = Math.ceil(rows / 4) * 4
  const scratchBytes = 4 * mostRows * (Math.ceil(features / 4) * 4 + 32 + 1) + 64
  const scratch = arena.bytes(threads * scratchBytes)
  return async (at, batch, gradient) => {
    parameters.set(at)
    batch.forEach((index, i) => {
      const example = examples[index]
      x.set(example.features.subarray(0, example.count * features), firstRow[i] * features)
      firstRow[i + 1] = firstRow[i] + example.count
      taken.set(example.taken, firstTaken[i])
      firstTaken[i + 1] = firstTaken[i] + example.taken.length
    })
    const count = Math.ceil(batch.length / PART)
    await run({
      kernel: 'rankerGradients',
      scratch,
      scratchBytes,
      arguments: [
        ...addresses(parameters, means, inverse, x, firstRow, firstTaken, taken),
        features,
        mostRows,
        batch.length,
        PART,
        ...addresses(parts, report),
      ],
      count,
      step: 1,
    })
    gradient.fill(0)
    for (let part = 0; part < count; part++) {
      for (let k = 0; k < length; k++) gradient[k] += parts[part * length + k]
    }
    let loss = 0
    for (let i = 0; i < batch.length; i++) loss += Math.log(report[2 * i]) - report[2 * i + 1]
    return loss
  }
}

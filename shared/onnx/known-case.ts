import type { Weights } from '../ranking/reference-scorer.ts'
import type { Shape } from './session.ts'

export type Case = { weights: Weights; features: Float32Array<ArrayBuffer>; count: number }

/** The case that every runtime must answer rightly before it ranks: more than one block of the matrix kernels, and a rest. */
export function knownCase({ features, hidden }: Shape): Case {
  let drawn = 0
  const some = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, () => Math.sin(++drawn))
  const count = 19
  return {
    weights: { features, hidden, w0: some(features * hidden), b0: some(hidden), w1: some(hidden), b1: some(1), skip: some(features) },
    features: some(count * features),
    count,
  }
}

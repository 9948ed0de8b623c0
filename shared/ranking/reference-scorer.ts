/**
 * The ranker's weights: y = relu(x·W0 + b0)·W1 + b1 + x·skip, for x of `features` numbers.
 * `w0` is features × hidden, row by row.
 */
export type Weights = {
  features: number
  hidden: number
  w0: Float32Array<ArrayBuffer>
  b0: Float32Array<ArrayBuffer>
  w1: Float32Array<ArrayBuffer>
  b1: Float32Array<ArrayBuffer>
  skip: Float32Array<ArrayBuffer>
}

/**
 * Scores `count` rows of `x` (count × features) into `out`: the same network that the ONNX graph computes, in plain
 * TypeScript, for isolates whose ONNX session is not there (yet) and for plans whose CPU budget it does not fit.
 */
export function referenceScores(weights: Weights, x: Float32Array, count: number, out: Float32Array): void {
  for (let row = 0; row < count; row++) out[row] = referenceScore(weights, x, row)
}

/** Reused from call to call. */
let layer = new Float32Array(0)

/** The score of one row of `x`. */
export function referenceScore({ features, hidden, w0, b0, w1, b1, skip }: Weights, x: Float32Array, row: number): number {
  if (layer.length !== hidden) layer = new Float32Array(hidden)
  layer.set(b0)
  const at = row * features
  let y = b1[0]
  for (let f = 0; f < features; f++) {
    const value = x[at + f]
    y += value * skip[f]
    const from = f * hidden
    for (let h = 0; h < hidden; h++) layer[h] += value * w0[from + h]
  }
  for (let h = 0; h < hidden; h++) {
    const activation = layer[h]
    if (activation > 0) y += activation * w1[h]
  }
  return y
}

/** Scores are compared at this resolution, so that runtimes that differ in the last bits agree on the order. */
export const roundScore = (score: number): number => Math.round(score * 1e4) / 1e4

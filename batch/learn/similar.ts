import { topItems } from '../../shared/ranking/top.ts'
import type { Interactions } from './interactions.ts'
import { type Sparse, SparseBuilder, transpose } from './sparse.ts'

export type GramOptions = {
  /** An edge counts only when this many distinct visitors have both items. */
  minVisitors: number
  /** A visitor of n items weighs n^-visitorPower. */
  visitorPower: number
}

export type SimilarOptions = {
  /** Ridge: λ_i = base + scale × G_ii. */
  ridgeBase: number
  ridgeScale: number
  /** At most this many sources explain one target. */
  support: number
}

/** G = X' D^-p X over pairs that enough visitors share, D the visitors' degrees; rows in ascending column order. */
export type Gram = {
  matrix: Sparse
  diagonal: Float32Array
  /** Catalogues small enough have it as a square too, row by row. */
  square: Float32Array | null
}

/** A square of this many items takes 144 MB. */
const SQUARE_ITEMS = 6000

export function gramOf({ byVisitor, byItem, visitorItems }: Interactions, { minVisitors, visitorPower }: GramOptions): Gram {
  const items = byItem.rows
  const visitorWeight = Float64Array.from(visitorItems, (degree) => degree ** -visitorPower)
  const sum = new Float32Array(items)
  const shared = new Uint32Array(items)
  const touched = new Uint32Array(items)
  const diagonal = new Float32Array(items)
  const square = items <= SQUARE_ITEMS ? new Float32Array(items * items) : null
  const builder = new SparseBuilder(items)
  for (let item = 0; item < items; item++) {
    let length = 0
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) {
      const visitor = byItem.index[k]
      const weight = visitorWeight[visitor]
      for (let j = byVisitor.start[visitor]; j < byVisitor.start[visitor + 1]; j++) {
        const other = byVisitor.index[j]
        if (shared[other]++ === 0) touched[length++] = other
        sum[other] += weight
      }
    }
    for (const other of touched.subarray(0, length).sort()) {
      if (shared[other] >= minVisitors || other === item) {
        builder.push(other, sum[other])
        if (square !== null) square[item * items + other] = sum[other]
      }
      if (other === item) diagonal[item] = sum[other]
      sum[other] = 0
      shared[other] = 0
    }
    builder.endRow()
  }
  return { matrix: builder.build(), diagonal, square }
}

/**
 * "Who wants this wants that": for every target item a ridge regression of having it on having each of its nearest
 * items by cosine (SLIM after Ning & Karypis 2011, with a fixed support and a closed form as in EASE, Steck 2019).
 * @returns source × target weights, positive ones only
 */
export function similarItems(gram: Gram, options: SimilarOptions): Sparse {
  const items = gram.diagonal.length
  const solver = new Solver(gram, options)
  const builder = new SparseBuilder(items)
  for (let target = 0; target < items; target++) {
    const sources = solver.sourcesOf(target)
    const weights = solver.weightsOf(target, sources)
    for (let i = 0; i < sources.length; i++) if (weights[i] > 0) builder.push(sources[i], weights[i])
    builder.endRow()
  }
  return transpose(builder.build())
}

/** Holds the scratch of one system of equations after another. */
class Solver {
  private readonly gram: Gram
  private readonly options: SimilarOptions
  private readonly cosine: Float32Array
  private readonly candidates: Uint32Array
  /** Position of an item in the support at hand, or -1. */
  private readonly place: Int32Array
  private readonly matrix: Float64Array
  private readonly weights: Float64Array

  constructor(gram: Gram, options: SimilarOptions) {
    const items = gram.diagonal.length
    this.gram = gram
    this.options = options
    this.cosine = new Float32Array(items)
    this.candidates = new Uint32Array(items)
    this.place = new Int32Array(items).fill(-1)
    this.matrix = new Float64Array(options.support ** 2)
    this.weights = new Float64Array(options.support)
  }

  /** The target's nearest items by cosine, in ascending order. */
  sourcesOf(target: number): Uint32Array {
    const { matrix, diagonal } = this.gram
    let count = 0
    for (let k = matrix.start[target]; k < matrix.start[target + 1]; k++) {
      const item = matrix.index[k]
      if (item === target) continue
      this.candidates[count++] = item
      this.cosine[item] = matrix.value[k] / Math.sqrt(diagonal[item])
    }
    if (count <= this.options.support) return this.candidates.slice(0, count)
    return topItems(this.candidates, count, this.cosine, this.options.support).sort()
  }

  /** Solves (G_SS + Λ) w = G_St by Cholesky decomposition. */
  weightsOf(target: number, sources: Uint32Array): Float64Array {
    const n = sources.length
    const { matrix, weights } = this
    this.gather(target, sources)
    for (let i = 0; i < n; i++) {
      const row = i * n
      for (let j = 0; j <= i; j++) {
        const other = j * n
        const sum = matrix[row + j] - dot(matrix, row, other, j)
        matrix[row + j] = i === j ? Math.sqrt(Math.max(sum, 1e-9)) : sum / matrix[other + j]
      }
    }
    for (let i = 0; i < n; i++) {
      let sum = weights[i]
      for (let k = 0; k < i; k++) sum -= matrix[i * n + k] * weights[k]
      weights[i] = sum / matrix[i * n + i]
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = weights[i]
      for (let k = i + 1; k < n; k++) sum -= matrix[k * n + i] * weights[k]
      weights[i] = sum / matrix[i * n + i]
    }
    return weights
  }

  /** Fills the lower triangle of G_SS + Λ, and G_St. */
  private gather(target: number, sources: Uint32Array): void {
    const { square, diagonal, matrix: gram } = this.gram
    const { ridgeBase, ridgeScale } = this.options
    const { matrix, weights, place } = this
    const n = sources.length
    const items = diagonal.length
    if (square !== null) {
      for (let i = 0; i < n; i++) {
        const row = sources[i] * items
        for (let j = 0; j < i; j++) matrix[i * n + j] = square[row + sources[j]]
        weights[i] = square[row + target]
      }
    } else {
      matrix.fill(0, 0, n * n)
      sources.forEach((source, i) => {
        place[source] = i
      })
      for (let i = 0; i < n; i++) {
        for (let k = gram.start[sources[i]]; k < gram.start[sources[i] + 1]; k++) {
          const j = place[gram.index[k]]
          if (j >= 0 && j < i) matrix[i * n + j] = gram.value[k]
          if (gram.index[k] === target) weights[i] = gram.value[k]
        }
      }
      for (const source of sources) place[source] = -1
    }
    for (let i = 0; i < n; i++) matrix[i * n + i] = diagonal[sources[i]] * (1 + ridgeScale) + ridgeBase
  }
}

/** Σ values[a + k] · values[b + k] for k < length, in four sums that do not wait for each other. */
function dot(values: Float64Array, a: number, b: number, length: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let k = 0
  for (; k + 3 < length; k += 4) {
    s0 += values[a + k] * values[b + k]
    s1 += values[a + k + 1] * values[b + k + 1]
    s2 += values[a + k + 2] * values[b + k + 2]
    s3 += values[a + k + 3] * values[b + k + 3]
  }
  for (; k < length; k++) s0 += values[a + k] * values[b + k]
  return s0 + s1 + (s2 + s3)
}

import type { Interactions } from '../../learn/interactions.ts'
import { diagonalOf, type Gram, type GramOptions, type SimilarOptions } from '../../learn/similar.ts'
import { type Sparse, SparseBuilder, transpose } from '../../learn/sparse.ts'

type PlainGram = Pick<Gram, 'matrix' | 'enough'>

/** The kernels of similar.ts in plain TypeScript and double precision: what they are held to. */
export function similarItemsPlain({ matrix: gram, enough }: PlainGram, options: SimilarOptions): Sparse {
  const items = gram.rows
  const diagonal = diagonalOf(gram)
  const place = new Int32Array(items).fill(-1)
  const builder = new SparseBuilder(items)
  for (let target = 0; target < items; target++) {
    const sources = nearestByCosine({ matrix: gram, enough }, diagonal, target, options.support)
    sources.forEach((source, i) => {
      place[source] = i
    })
    const weights = ridge(gram, diagonal, place, sources, target, options)
    for (let i = 0; i < sources.length; i++) {
      place[sources[i]] = -1
      if (weights[i] > 0) builder.push(sources[i], weights[i])
    }
    builder.endRow()
  }
  return transpose(builder.build())
}

/** X' W X, rows in ascending column order, and which entries at least `minVisitors` visitors share. */
export function gramPlain({ byVisitor, byItem, visitorItems }: Interactions, { minVisitors, visitorPower }: GramOptions): PlainGram {
  const items = byItem.rows
  const sum = new Float32Array(items)
  const shared = new Uint32Array(items)
  const enough: number[] = []
  const builder = new SparseBuilder(items)
  for (let item = 0; item < items; item++) {
    const touched: number[] = []
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) {
      const visitor = byItem.index[k]
      const weight = visitorItems[visitor] ** -visitorPower
      for (let j = byVisitor.start[visitor]; j < byVisitor.start[visitor + 1]; j++) {
        const other = byVisitor.index[j]
        if (shared[other]++ === 0) touched.push(other)
        sum[other] += weight
      }
    }
    touched.sort((a, b) => a - b)
    for (const other of touched) {
      builder.push(other, sum[other])
      enough.push(shared[other] >= minVisitors ? 1 : 0)
      sum[other] = 0
      shared[other] = 0
    }
    builder.endRow()
  }
  return { matrix: builder.build(), enough: Uint8Array.from(enough) }
}

function nearestByCosine({ matrix: gram, enough }: PlainGram, diagonal: Float32Array, target: number, most: number): number[] {
  const near: { item: number; cosine: number }[] = []
  for (let k = gram.start[target]; k < gram.start[target + 1]; k++) {
    const item = gram.index[k]
    if (item !== target && enough[k] === 1) near.push({ item, cosine: gram.value[k] / Math.sqrt(diagonal[item] * diagonal[target]) })
  }
  if (near.length > most) {
    near.sort((a, b) => b.cosine - a.cosine || a.item - b.item)
    near.length = most
  }
  return near.map(({ item }) => item).sort((a, b) => a - b)
}

/** Solves (G_SS + Λ) w = G_St by Cholesky decomposition; `place` maps an item to its position in `sources`, or -1. */
function ridge(
  gram: Sparse,
  diagonal: Float32Array,
  place: Int32Array,
  sources: number[],
  target: number,
  options: SimilarOptions,
): Float64Array {
  const n = sources.length
  const matrix = new Float64Array(n * n)
  const weights = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const source = sources[i]
    for (let k = gram.start[source]; k < gram.start[source + 1]; k++) {
      const j = place[gram.index[k]]
      if (j >= 0 && j <= i) matrix[i * n + j] = gram.value[k]
      if (gram.index[k] === target) weights[i] = gram.value[k]
    }
    matrix[i * n + i] = diagonal[source] * (1 + options.ridgeScale) + options.ridgeBase
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j]
      for (let k = 0; k < j; k++) sum -= matrix[i * n + k] * matrix[j * n + k]
      matrix[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-9)) : sum / matrix[j * n + j]
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

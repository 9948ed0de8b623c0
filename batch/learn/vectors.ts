import { normal, randomStream } from '../../shared/random.ts'
import type { Dataset } from '../dataset.ts'
import type { Interactions } from './interactions.ts'
import { type Sparse, SparseBuilder, transpose } from './sparse.ts'

export type VectorOptions = {
  dimensions: number
  /** Weight of the content columns (category and title words) beside the behaviour columns. */
  content: number
  seed: number
}

/**
 * Item vectors that blend behaviour with content: the leading left singular vectors of [visitors | words], both
 * normalised, by randomised subspace iteration (Halko, Martinsson & Tropp 2011). An item nobody has touched gets its
 * place from its category and the words of its title.
 * @returns items × dimensions, rows at unit length (all zero for an item without visitors and words)
 */
export function itemVectors(dataset: Dataset, { byItem, visitorItems, itemVisitors }: Interactions, options: VectorOptions): Float32Array {
  const behaviour = new SparseBuilder(byItem.columns)
  for (let item = 0; item < byItem.rows; item++) {
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) {
      behaviour.push(byItem.index[k], 1 / Math.sqrt(visitorItems[byItem.index[k]] * itemVisitors[item]))
    }
    behaviour.endRow()
  }
  const rows = beside(behaviour.build(), contentRows(dataset, options.content))
  return unitRows(leadingVectors(rows, options.dimensions, options.seed), rows.rows, options.dimensions)
}

const words = (title: string): string[] => title.toLowerCase().match(/\p{L}{3,}/gu) ?? []

/** items × (categories and words), weighted by inverse document frequency, rows of length `weight`. */
function contentRows(dataset: Dataset, weight: number): Sparse {
  const terms = dataset.items.map((item) => {
    const text = words(typeof item.values.title === 'string' ? item.values.title : '')
    return [...new Set(item.category === '' ? text : [`category ${item.category}`, ...text])]
  })
  const documents = new Map<string, number>()
  for (const term of terms.flat()) documents.set(term, (documents.get(term) ?? 0) + 1)
  const column = new Map([...documents].filter(([, count]) => count > 1).map(([term], i) => [term, i]))
  const builder = new SparseBuilder(column.size)
  for (const list of terms) {
    const entries = list.flatMap((term) => {
      const at = column.get(term)
      return at === undefined ? [] : [{ at, idf: Math.log(terms.length / (documents.get(term) ?? 1)) + 0.1 }]
    })
    entries.sort((a, b) => a.at - b.at)
    const length = Math.hypot(...entries.map(({ idf }) => idf))
    for (const { at, idf } of entries) builder.push(at, (weight * idf) / length)
    builder.endRow()
  }
  return builder.build()
}

function beside(left: Sparse, right: Sparse): Sparse {
  const builder = new SparseBuilder(left.columns + right.columns)
  for (let row = 0; row < left.rows; row++) {
    for (let k = left.start[row]; k < left.start[row + 1]; k++) builder.push(left.index[k], left.value[k])
    for (let k = right.start[row]; k < right.start[row + 1]; k++) builder.push(left.columns + right.index[k], right.value[k])
    builder.endRow()
  }
  return builder.build()
}

const OVERSAMPLING = 16
const ITERATIONS = 8

/** rows × dimensions: an orthonormal basis of the dominant left space, scaled by the root of each direction's strength. */
function leadingVectors(matrix: Sparse, dimensions: number, seed: number): Float32Array {
  const width = dimensions + OVERSAMPLING
  const turned = transpose(matrix)
  const random = randomStream(seed)
  let basis = Float64Array.from({ length: matrix.rows * width }, () => normal(random))
  let strengths: number[] = []
  for (let i = 0; i < ITERATIONS; i++) {
    strengths = orthonormalise(basis, matrix.rows, width)
    basis = times(matrix, times(turned, basis, width), width)
  }
  strengths = orthonormalise(basis, matrix.rows, width)
  const order = strengths.map((strength, d) => ({ strength, d })).sort((a, b) => b.strength - a.strength || a.d - b.d)
  const out = new Float32Array(matrix.rows * dimensions)
  for (let d = 0; d < Math.min(dimensions, width); d++) {
    const { strength, d: from } = order[d]
    // AAᵀ has the squared singular values; their fourth root balances the leading direction against the rest.
    const scale = strength ** 0.25
    for (let row = 0; row < matrix.rows; row++) out[row * dimensions + d] = basis[row * width + from] * scale
  }
  return out
}

function times(matrix: Sparse, dense: Float64Array, width: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(matrix.rows * width)
  for (let row = 0; row < matrix.rows; row++) {
    for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) {
      const from = matrix.index[k] * width
      const value = matrix.value[k]
      for (let d = 0; d < width; d++) out[row * width + d] += value * dense[from + d]
    }
  }
  return out
}

/** Modified Gram–Schmidt on the columns, in place. @returns each column's length before it was scaled to 1 */
function orthonormalise(dense: Float64Array, rows: number, width: number): number[] {
  const lengths: number[] = []
  for (let d = 0; d < width; d++) {
    for (let e = 0; e < d; e++) {
      let dot = 0
      for (let row = 0; row < rows; row++) dot += dense[row * width + d] * dense[row * width + e]
      for (let row = 0; row < rows; row++) dense[row * width + d] -= dot * dense[row * width + e]
    }
    let square = 0
    for (let row = 0; row < rows; row++) square += dense[row * width + d] ** 2
    const length = Math.sqrt(square)
    lengths.push(length)
    for (let row = 0; row < rows; row++) dense[row * width + d] = length > 1e-12 ? dense[row * width + d] / length : 0
  }
  return lengths
}

function unitRows(vectors: Float32Array, rows: number, dimensions: number): Float32Array {
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let d = 0; d < dimensions; d++) square += vectors[row * dimensions + d] ** 2
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0
    for (let d = 0; d < dimensions; d++) vectors[row * dimensions + d] *= scale
  }
  return vectors
}

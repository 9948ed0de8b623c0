import type { Dataset } from '../dataset.ts'
import type { Interactions } from './interactions.ts'
import { leadingVectors } from './leading-vectors.ts'
import { type Sparse, SparseBuilder } from './sparse.ts'

export type VectorOptions = {
  dimensions: number
  /** Weight of the content columns (category and title words) beside the behaviour columns. */
  content: number
  seed: number
}

/**
 * Item vectors that blend behaviour with content: the leading left singular vectors of [visitors | words], both
 * normalised. An item nobody has touched gets its place from its category and the words of its title.
 * @returns items × dimensions, rows at unit length (all zero for an item without visitors and words)
 */
export async function itemVectors(
  dataset: Dataset,
  { byItem, visitorItems, itemVisitors }: Interactions,
  options: VectorOptions,
): Promise<Float32Array> {
  const behaviour = new SparseBuilder(byItem.columns)
  for (let item = 0; item < byItem.rows; item++) {
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) {
      behaviour.push(byItem.index[k], 1 / Math.sqrt(visitorItems[byItem.index[k]] * itemVisitors[item]))
    }
    behaviour.endRow()
  }
  const rows = beside(behaviour.build(), contentRows(dataset, options.content))
  return unitRows(await leadingVectors(rows, options.dimensions, options.seed), rows.rows, options.dimensions)
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

function unitRows(vectors: Float32Array, rows: number, dimensions: number): Float32Array {
  for (let row = 0; row < rows; row++) {
    let square = 0
    for (let d = 0; d < dimensions; d++) square += vectors[row * dimensions + d] ** 2
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0
    for (let d = 0; d < dimensions; d++) vectors[row * dimensions + d] *= scale
  }
  return vectors
}

import type { Config } from '../config.ts'
import { type Interactions, withMostEntries } from './interactions.ts'
import { leadingVectors } from './leading-vectors.ts'
import { type Sparse, SparseBuilder } from './sparse.ts'

/** `content` is the weight of the content columns beside the behaviour columns. */
export type VectorOptions = Pick<Config, 'dimensions' | 'content' | 'vectorPower' | 'seed'>

/** What is worth trying for them: the less of its length a row loses, the more behaviour counts beside content. */
export const vectorFamily = { name: 'vectors', tried: { vectorPower: [0.1, 0.4] } } as const

/**
 * A history of more visitor–item pairs is drawn from: fifty an item, of a large catalogue, say where it stands among the others.
 */
const MOST_ENTRIES = 5e6

/**
 * Item vectors that blend behaviour with content: the leading left singular vectors of [visitors | terms], both
 * normalised. An item that is not settled gets its place from its terms.
 * @param content items × terms (see `contentRows`)
 * @param settled whether behaviour tells of an item; of the others too few visitors know, and a place by what those did
 * would tell of them
 * @returns items × dimensions, rows at unit length (all zero for an item that is not settled and has no terms)
 */
export async function itemVectors(
  content: Sparse,
  interactions: Interactions,
  settled: (item: number) => boolean,
  options: VectorOptions,
): Promise<Float32Array> {
  const { byItem, visitorItems, itemVisitors } = withMostEntries(interactions, MOST_ENTRIES)
  const behaviour = new SparseBuilder(byItem.columns)
  for (let item = 0; item < byItem.rows; item++) {
    for (let k = byItem.start[item]; settled(item) && k < byItem.start[item + 1]; k++) {
      behaviour.push(byItem.index[k], (visitorItems[byItem.index[k]] * itemVisitors[item]) ** -options.vectorPower)
    }
    behaviour.endRow()
  }
  const rows = beside(behaviour.build(), scaled(content, options.content))
  return unitRows(await leadingVectors(rows, options.dimensions, options.seed), rows.rows, options.dimensions)
}

const scaled = (matrix: Sparse, weight: number): Sparse => ({ ...matrix, value: matrix.value.map((value) => weight * value) })

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

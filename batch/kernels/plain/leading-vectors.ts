import { fillBasis, ITERATIONS, type Place, strongest, widthOf } from '../../learn/leading-vectors.ts'
import { type Sparse, transpose } from '../../learn/sparse.ts'

/** The kernels of leading-vectors.ts in plain TypeScript, by modified Gram–Schmidt: what they are held to. */
export function leadingVectorsPlain(matrix: Sparse, dimensions: number, seed: number): Float32Array {
  const width = widthOf(dimensions)
  const turned = transpose(matrix)
  const place: Place = (row, column) => row * width + column
  let basis: Float64Array = new Float64Array(matrix.rows * width)
  fillBasis(basis, matrix.rows, width, seed, place)
  for (let i = 0; i < ITERATIONS; i++) {
    orthonormalise(basis, matrix.rows, width)
    basis = times(matrix, times(turned, basis, width), width)
  }
  return strongest(basis, orthonormalise(basis, matrix.rows, width), matrix.rows, dimensions, place)
}

function times(matrix: Sparse, dense: Float64Array, width: number): Float64Array {
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

import { topItems } from '../../shared/ranking/top.ts'

/** Compressed sparse rows: row r's columns are index[start[r] … start[r+1]), with their values beside them. */
export type Sparse = {
  rows: number
  columns: number
  start: Uint32Array
  index: Uint32Array
  value: Float32Array
}

/** Appends to typed arrays that double when full: rows of unknown length without an array of objects. */
export class SparseBuilder {
  private readonly columns: number
  private readonly starts: number[] = [0]
  private index = new Uint32Array(1024)
  private value = new Float32Array(1024)
  private length = 0

  constructor(columns: number) {
    this.columns = columns
  }

  push(column: number, value: number): void {
    if (this.length === this.index.length) {
      const index = new Uint32Array(2 * this.length)
      index.set(this.index)
      this.index = index
      const values = new Float32Array(2 * this.length)
      values.set(this.value)
      this.value = values
    }
    this.index[this.length] = column
    this.value[this.length++] = value
  }

  endRow(): void {
    this.starts.push(this.length)
  }

  build(): Sparse {
    return {
      rows: this.starts.length - 1,
      columns: this.columns,
      start: Uint32Array.from(this.starts),
      index: this.index.slice(0, this.length),
      value: this.value.slice(0, this.length),
    }
  }
}

/** Columns become rows; within a row, entries keep ascending order of the former row. */
export function transpose(matrix: Sparse): Sparse {
  const start = new Uint32Array(matrix.columns + 1)
  for (const column of matrix.index) start[column + 1]++
  for (let column = 0; column < matrix.columns; column++) start[column + 1] += start[column]
  const next = start.slice()
  const index = new Uint32Array(matrix.index.length)
  const value = new Float32Array(matrix.index.length)
  for (let row = 0; row < matrix.rows; row++) {
    for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) {
      const at = next[matrix.index[k]]++
      index[at] = row
      value[at] = matrix.value[k]
    }
  }
  return { rows: matrix.columns, columns: matrix.rows, start, index, value }
}

/** Positions of row `row`'s `most` largest positive values, largest first, ties by column; columns ascend within the row. */
export function largest(matrix: Sparse, row: number, most: number): Uint32Array {
  const positions = new Uint32Array(matrix.start[row + 1] - matrix.start[row])
  let count = 0
  for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) if (matrix.value[k] > 0) positions[count++] = k
  return topItems(positions, count, matrix.value, most)
}

import { randomStream } from '../../shared/random.ts'
import { type Arena, addresses, copied, inArena } from '../kernels/arena.ts'
import { type Run, threadsFor, withThreads } from '../kernels/threads.ts'
import { type Sparse, transpose } from './sparse.ts'

const OVERSAMPLING = 16
/** Columns that a kernel goes through at a time: a cache line of double precision. */
const BLOCK = 8
export const ITERATIONS = 8
/** Rows whose products are added up apart: however many threads there are. */
const PART = 128
/** A column that is this much of the ones before it (squared) has nothing of its own but rounding. */
const DEPENDENT = 1e-12

/**
 * Randomised subspace iteration (Halko, Martinsson & Tropp 2011), orthonormalised by Cholesky QR (Golub & Van Loan 2013):
 * in double precision it loses nothing here, where a column is at most some hundred times the strength of another.
 * @returns rows × dimensions: an orthonormal basis of the dominant left space, scaled by the root of each direction's
 * strength; the same whatever the number of threads
 */
export async function leadingVectors(
  matrix: Sparse,
  dimensions: number,
  seed: number,
  threads = threadsFor(2 * ITERATIONS * widthOf(dimensions) * (matrix.index.length + matrix.rows * widthOf(dimensions))),
): Promise<Float32Array> {
  return inArena(async (arena) => {
    const width = widthOf(dimensions)
    const { rows, columns } = matrix
    const turned = shared(arena, transpose(matrix))
    const place: Place = (row, column) => (Math.floor(column / BLOCK) * rows + row) * BLOCK + (column % BLOCK)
    let [now, then] = [arena.f64(rows * width), arena.f64(rows * width)]
    fillBasis(now, rows, width, seed, place)
    const strengths = await withThreads(arena, threads, async (run) => {
      const orthonormalise = orthonormaliser(arena, run, rows, width)
      for (let i = 0; i < ITERATIONS; i++) {
        await orthonormalise(now)
        await run({
          kernel: 'squareBlocks',
          scratch: 0,
          scratchBytes: 0,
          arguments: [...addresses(turned.start, turned.index, turned.value), columns, ...addresses(now, then), rows],
          count: width / BLOCK,
          step: 1,
        })
        ;[now, then] = [then, now]
      }
      return orthonormalise(now)
    })
    return strongest(now, strengths, rows, dimensions, place)
  })
}

/** A multiple of 16. */
export const widthOf = (dimensions: number): number => Math.ceil((dimensions + OVERSAMPLING) / 16) * 16

/** Where the number of a row and column of the basis stands. */
export type Place = (row: number, column: number) => number

/** Numbers from -1 to 1, row after row. */
export function fillBasis(basis: Float64Array, rows: number, width: number, seed: number, place: Place): void {
  const random = randomStream(seed)
  for (let row = 0; row < rows; row++) for (let column = 0; column < width; column++) basis[place(row, column)] = 2 * random() - 1
}

/** The basis's strongest columns, strongest first. */
export function strongest(basis: Float64Array, strengths: readonly number[], rows: number, dimensions: number, place: Place): Float32Array {
  const order = strengths.map((strength, d) => ({ strength, d })).sort((a, b) => b.strength - a.strength || a.d - b.d)
  const out = new Float32Array(rows * dimensions)
  for (let d = 0; d < dimensions; d++) {
    const { strength, d: from } = order[d]
    // AAᵀ has the squared singular values; their fourth root balances the leading direction against the rest.
    const scale = strength ** 0.25
    for (let row = 0; row < rows; row++) out[row * dimensions + d] = basis[place(row, from)] * scale
  }
  return out
}

/** @returns what makes a basis's columns orthonormal in place, and says what each one had of its own */
function orthonormaliser(arena: Arena, run: Run, rows: number, width: number): (basis: Float64Array) => Promise<number[]> {
  const parts = Math.ceil(rows / PART)
  const products = arena.f64(parts * width * width)
  const upper = arena.f64(width * width)
  const task = { scratch: 0, scratchBytes: 0 }
  return async (basis) => {
    const [from, into] = addresses(basis, products)
    await run({ ...task, kernel: 'crossParts', arguments: [from, rows, width, PART, into], count: parts, step: 1 })
    const cross = new Float64Array(width * width)
    for (let part = 0; part < parts; part++) {
      for (let k = 0; k < cross.length; k++) cross[k] += products[part * cross.length + k]
    }
    const { inverse, lengths } = inverseFactor(cross, width)
    upper.set(inverse)
    await run({ ...task, kernel: 'triangularRows', arguments: [from, rows, width, upper.byteOffset], count: rows, step: 64 })
    return lengths
  }
}

/** R⁻¹ and R's diagonal, for the upper triangular R with RᵀR = cross; a dependent column of R⁻¹ is zero, its length too. */
function inverseFactor(cross: Float64Array, width: number): { inverse: Float64Array; lengths: number[] } {
  const factor = new Float64Array(width * width)
  const inverse = new Float64Array(width * width)
  const lengths: number[] = []
  for (let j = 0; j < width; j++) {
    let own = cross[j * width + j]
    for (let k = 0; k < j; k++) own -= factor[k * width + j] ** 2
    const length = own > DEPENDENT * cross[j * width + j] ? Math.sqrt(own) : 0
    lengths.push(length)
    if (length === 0) continue
    factor[j * width + j] = length
    for (let i = j + 1; i < width; i++) {
      let sum = cross[j * width + i]
      for (let k = 0; k < j; k++) sum -= factor[k * width + j] * factor[k * width + i]
      factor[j * width + i] = sum / length
    }
    inverse[j * width + j] = 1 / length
    for (let i = 0; i < j; i++) {
      let sum = 0
      for (let k = i; k < j; k++) sum += inverse[i * width + k] * factor[k * width + j]
      inverse[i * width + j] = -sum / length
    }
  }
  return { inverse, lengths }
}

function shared(arena: Arena, { rows, columns, ...parts }: Sparse): Sparse {
  const start = copied(arena.u32(parts.start.length), parts.start)
  const index = copied(arena.u32(parts.index.length), parts.index)
  const value = copied(arena.f32(parts.value.length), parts.value)
  return { rows, columns, start, index, value }
}

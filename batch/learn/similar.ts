import { Arena, addresses, copied } from '../kernels/arena.ts'
import { threadsFor, withThreads } from '../kernels/threads.ts'
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

/** G = X' W X, with a row for each item, and what solving with parts of it needs; all in the arena. */
export type Gram = {
  arena: Arena
  matrix: Sparse
  /** By entry of the matrix: 1 where enough visitors have both items for an edge between them. */
  enough: Uint8Array
  diagonal: Float32Array
  /** By item, 1 + its row and column in the dense block; 0 = not in it. */
  rank: Uint32Array
  /** width × width: the items with the longest rows, whose rows would take longest to search. */
  dense: Float32Array
  width: number
}

/** More pairs than this would outgrow what 32-bit addresses reach: an entry takes 9 bytes, and there may be one for each. */
export const MOST_PAIRS = 2.5e8

/** A dense block of so many items takes 64 MB. */
const MOST_DENSE = 4096

/** Counting a pair, twice and at random places, takes as long as so many multiplications in a row. */
const PAIR_COST = 16

/**
 * Visitors are down-weighted by a power of how many items they have. Pairs that too few share make no edge, yet stand in
 * the matrix: without them it need not be positive definite, and its solutions may be of any size. Fits that differ in
 * their ridge alone share it. Its arena should be given back.
 */
export async function gramOf(
  { byVisitor, byItem, visitorItems }: Interactions,
  options: GramOptions,
  threads = threadsFor(PAIR_COST * visitorItems.reduce((sum, count) => sum + count * count, 0)),
): Promise<Gram> {
  const arena = Arena.taken()
  const items = byItem.rows
  const start = arena.u32(items + 1)
  // Lengths are known only after the first pass; what that pass needs stands behind them for as long as it is needed.
  const inputs = [byVisitor.start, byVisitor.index, byItem.start, byItem.index].map((column) => copied(arena.u32(column.length), column))
  const weight = copied(
    arena.f64(visitorItems.length),
    Float64Array.from(visitorItems, (count) => count ** -options.visitorPower),
  )
  const scratchBytes = 8 * items + 4 * Math.ceil(items / 32) + 64
  const scratch = arena.bytes(threads * scratchBytes)
  const { matrix, enough } = await withThreads(arena, threads, async (run) => {
    const pass = (index: number, value: number, enough: number, fill: number): Promise<void> =>
      run({
        kernel: 'gramRows',
        scratch,
        scratchBytes,
        arguments: [...addresses(...inputs, weight), items, options.minVisitors, start.byteOffset, index, value, enough, fill],
        count: items,
        step: 16,
      })
    await pass(0, 0, 0, 0)
    for (let item = 0; item < items; item++) start[item + 1] += start[item]
    const index = arena.u32(start[items])
    const value = arena.f32(start[items])
    const enough = arena.u8(start[items])
    await pass(index.byteOffset, value.byteOffset, enough.byteOffset, 1)
    return { matrix: { rows: items, columns: items, start, index, value }, enough }
  })
  return { arena, matrix, enough, diagonal: copied(arena.f32(items), diagonalOf(matrix)), ...denseBlock(arena, matrix) }
}

/**
 * "Who wants this wants that": for every target item a ridge regression of having it on having each of its nearest
 * items by cosine (SLIM after Ning & Karypis 2011, with a fixed support and a closed form as in EASE, Steck 2019).
 * @returns source × target weights, positive ones only; the same whatever the number of threads
 */
export async function similarItems(
  { arena, matrix, enough, diagonal, rank, dense, width }: Gram,
  options: SimilarOptions,
  threads = threadsFor((matrix.rows * options.support ** 3) / 6),
): Promise<Sparse> {
  const { support } = options
  const items = matrix.rows
  return arena.within(async () => {
    const count = arena.u32(items)
    const index = arena.u32(items * support)
    const weight = arena.f32(items * support)
    const padded = Math.ceil(support / 4) * 4
    // Heap (8 + 4 bytes), ranks, right-hand side and diagonal, the matrix, and places by item.
    const scratchBytes = padded * (8 + 4 * 4) + 4 * padded * padded + 4 * items + 64
    await withThreads(arena, threads, (run) =>
      run({
        kernel: 'ridgeRows',
        scratch: arena.bytes(threads * scratchBytes),
        scratchBytes,
        arguments: [
          ...addresses(matrix.start, matrix.index, matrix.value, enough, diagonal, rank, dense),
          width,
          support,
          options.ridgeBase,
          options.ridgeScale,
          ...addresses(count, index, weight),
        ],
        count: items,
        step: 8,
      }),
    )
    const builder = new SparseBuilder(items)
    for (let target = 0; target < items; target++) {
      for (let k = target * support; k < target * support + count[target]; k++) builder.push(index[k], weight[k])
      builder.endRow()
    }
    return transpose(builder.build())
  })
}

export function diagonalOf(matrix: Sparse): Float32Array {
  const diagonal = new Float32Array(matrix.rows)
  for (let row = 0; row < matrix.rows; row++) {
    for (let k = matrix.start[row]; k < matrix.start[row + 1]; k++) if (matrix.index[k] === row) diagonal[row] = matrix.value[k]
  }
  return diagonal
}

function denseBlock(arena: Arena, matrix: Sparse): Pick<Gram, 'rank' | 'dense' | 'width'> {
  const width = Math.min(matrix.rows, MOST_DENSE)
  const length = (row: number): number => matrix.start[row + 1] - matrix.start[row]
  const order = Array.from({ length: matrix.rows }, (_, row) => row).sort((a, b) => length(b) - length(a) || a - b)
  const rank = arena.u32(matrix.rows)
  const dense = arena.f32(width * width)
  for (let r = 0; r < width; r++) rank[order[r]] = r + 1
  for (let r = 0; r < width; r++) {
    for (let k = matrix.start[order[r]]; k < matrix.start[order[r] + 1]; k++) {
      const other = rank[matrix.index[k]]
      if (other > 0) dense[r * width + other - 1] = matrix.value[k]
    }
  }
  return { rank, dense, width }
}

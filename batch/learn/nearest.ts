import { type Arena, addresses, copied, inArena } from '../kernels/arena.ts'
import { threadsFor, withThreads } from '../kernels/threads.ts'

/** Where every item stands: items × dimensions, rows at unit length, or of zeros for what has no place. */
export type Places = { vectors: Float32Array; dimensions: number }

export type Asked = {
  /** Items that ask, and those that may be the answer, in ascending order. Both have rows at unit length, or no place. */
  targets: Uint32Array
  others: Uint32Array
  /** How many answers a target gets at most. */
  most: number
  /** By item: what a cosine with it counts (1 where absent), and the least cosine that counts. */
  factor?: Float32Array | Float64Array
  least?: Float32Array | Float64Array
  /** By target, in their order: the items that may not be its answer, ascending; none where absent. */
  barred?: readonly Uint32Array[]
}

/** Items by cosine × factor, the largest first, ties by item; only those above 0. */
export type Nearest = { items: Uint32Array; values: Float32Array }

/** @returns what is nearest to each target, in their order; the same whatever the number of threads */
export async function nearestOf({ vectors, dimensions }: Places, asked: Asked, given?: number): Promise<Nearest[]> {
  const { targets, others, most } = asked
  const items = vectors.length / dimensions
  if (targets.length === 0 || others.length === 0)
    return Array.from(targets, () => ({ items: new Uint32Array(0), values: new Float32Array(0) }))
  return inArena(async (arena) => {
    const width = Math.ceil(dimensions / 4) * 4
    const rows = arena.f32(items * width)
    for (let item = 0; item < items; item++) rows.set(vectors.subarray(item * dimensions, (item + 1) * dimensions), item * width)
    const factor = asked.factor === undefined ? arena.f32(items).fill(1) : copied(arena.f32(items), asked.factor)
    // Once a target has answers that are better than the largest factor left, it is done.
    const ordered = asked.factor === undefined ? others : others.toSorted((a, b) => factor[b] - factor[a] || a - b)
    const columns = addresses(copied(arena.u32(targets.length), targets), copied(arena.u32(others.length), ordered))
    const least = asked.least === undefined ? arena.f32(items) : copied(arena.f32(items), asked.least)
    const barred = flattened(arena, asked.barred ?? [], targets.length)
    const count = arena.u32(targets.length)
    const near = arena.u32(targets.length * most)
    const value = arena.f32(targets.length * most)
    const threads = given ?? threadsFor(targets.length * others.length * dimensions)
    await withThreads(arena, threads, (run) =>
      run({
        kernel: 'nearestRows',
        scratch: arena.bytes(threads * SCRATCH),
        scratchBytes: SCRATCH,
        arguments: [
          rows.byteOffset,
          width,
          ...columns,
          others.length,
          ...addresses(factor, least, ...barred),
          most,
          ...addresses(count, near, value),
        ],
        count: targets.length,
        step: 16,
      }),
    )
    return Array.from(targets, (_, i) => ({
      items: near.slice(i * most, i * most + count[i]),
      values: value.slice(i * most, i * most + count[i]),
    }))
  })
}

/** Bytes that a thread of the kernel needs to itself. */
const SCRATCH = 48

/** Rows, one behind the other, and where each begins. */
function flattened(arena: Arena, rows: readonly Uint32Array[], count: number): [start: Uint32Array, all: Uint32Array] {
  const start = arena.u32(count + 1)
  for (let row = 0; row < count; row++) start[row + 1] = start[row] + (rows[row]?.length ?? 0)
  const all = arena.u32(start[count])
  rows.forEach((row, i) => {
    all.set(row, start[i])
  })
  return [start, all]
}

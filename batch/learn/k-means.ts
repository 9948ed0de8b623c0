import { randomStream } from '../../shared/random.ts'
import { Arena, addresses } from '../kernels/arena.ts'
import { type Run, threadsFor, withThreads } from '../kernels/threads.ts'

/** Unit vectors in rows; `assignment[row]` is the centroid nearest by cosine. */
export type Clusters = { count: number; centroids: Float32Array; assignment: Uint32Array }

/**
 * Spherical k-means (Dhillon & Modha 2001), seeded by k-means++ on cosine distance. Clusters with fewer than `smallest`
 * members are dissolved into their neighbours, so fewer than `count` may come back. Rows of zeros join no cluster's
 * mean; they are assigned to 0.
 * @param threads as many as are worth it when absent; the result is the same
 */
export async function sphericalKMeans(
  vectors: Float32Array,
  dimensions: number,
  count: number,
  smallest: number,
  seed: number,
  threads?: number,
): Promise<Clusters> {
  const rows = vectors.length / dimensions
  const most = Math.min(count, rows)
  const arena = new Arena()
  return withThreads(arena, threads ?? threadsFor(ITERATIONS * rows * most * dimensions), async (run) => {
    const assign = assigner(arena, run, vectors, dimensions, most)
    let centroids = seeds(vectors, dimensions, rows, most, randomStream(seed))
    let assignment = await assign(centroids)
    for (let iteration = 0; iteration < ITERATIONS; iteration++) {
      centroids = means(vectors, dimensions, assignment, centroids.length / dimensions)
      const next = await assign(centroids)
      const moved = next.some((cluster, row) => cluster !== assignment[row])
      assignment = next
      if (!moved) break
    }
    for (;;) {
      const sizes = sizesOf(assignment, centroids.length / dimensions)
      const least = sizes.indexOf(Math.min(...sizes))
      if (sizes.length <= 1 || sizes[least] >= smallest) break
      centroids = Float32Array.from(centroids.filter((_, k) => Math.floor(k / dimensions) !== least))
      assignment = await assign(centroids)
    }
    return { count: centroids.length / dimensions, centroids, assignment }
  })
}

const ITERATIONS = 20

/** @returns (when called) for each row the nearest of at most `most` centroids */
function assigner(
  arena: Arena,
  run: Run,
  vectors: Float32Array,
  dimensions: number,
  most: number,
): (centroids: Float32Array) => Promise<Uint32Array> {
  const width = Math.ceil(dimensions / 4) * 4
  const rows = vectors.length / dimensions
  const padded = (into: Float32Array, from: Float32Array): void => {
    for (let row = 0; row * dimensions < from.length; row++) into.set(from.subarray(row * dimensions, (row + 1) * dimensions), row * width)
  }
  const all = arena.f32(rows * width)
  padded(all, vectors)
  const places = arena.f32(most * width)
  const out = arena.u32(rows)
  return async (centroids) => {
    padded(places, centroids)
    const count = centroids.length / dimensions
    const [from, to, into] = addresses(all, places, out)
    await run({ kernel: 'assignRows', scratch: 0, scratchBytes: 0, arguments: [from, width, to, count, into], count: rows, step: 1024 })
    return out.slice()
  }
}

const sizesOf = (assignment: Uint32Array, count: number): number[] => {
  const sizes = new Array<number>(count).fill(0)
  for (const cluster of assignment) sizes[cluster]++
  return sizes
}

function dot(a: Float32Array, row: number, b: Float32Array, other: number, dimensions: number): number {
  let sum = 0
  for (let d = 0; d < dimensions; d++) sum += a[row * dimensions + d] * b[other * dimensions + d]
  return sum
}

function seeds(vectors: Float32Array, dimensions: number, rows: number, count: number, random: () => number): Float32Array<ArrayBuffer> {
  const centroids = new Float32Array(count * dimensions)
  const distance = new Float64Array(rows).fill(1)
  for (let c = 0; c < count; c++) {
    let total = 0
    for (const value of distance) total += value
    let pick = random() * total
    let row = 0
    while (row < rows - 1 && pick >= distance[row]) pick -= distance[row++]
    centroids.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), c * dimensions)
    for (let r = 0; r < rows; r++) distance[r] = Math.min(distance[r], Math.max(0, 1 - dot(vectors, r, centroids, c, dimensions)))
  }
  return centroids
}

function means(vectors: Float32Array, dimensions: number, assignment: Uint32Array, count: number): Float32Array<ArrayBuffer> {
  const centroids = new Float32Array(count * dimensions)
  for (let row = 0; row < assignment.length; row++) {
    for (let d = 0; d < dimensions; d++) centroids[assignment[row] * dimensions + d] += vectors[row * dimensions + d]
  }
  for (let c = 0; c < count; c++) {
    const mean = centroids.subarray(c * dimensions, (c + 1) * dimensions)
    const length = Math.hypot(...mean)
    if (length > 0) for (let d = 0; d < dimensions; d++) mean[d] /= length
  }
  return centroids
}

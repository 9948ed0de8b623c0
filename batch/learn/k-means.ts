import { randomStream } from '../../shared/random.ts'
import { type Arena, addresses, inArena } from '../kernels/arena.ts'
import { type Run, threadsFor, withThreads } from '../kernels/threads.ts'

/** Unit vectors in rows; `assignment[row]` is the centroid nearest by cosine. */
export type Clusters = { count: number; centroids: Float32Array; assignment: Uint32Array }

/**
 * Spherical k-means (Dhillon & Modha 2001), seeded by k-means++ on cosine distance. Clusters with fewer than `smallest`
 * members are dissolved into their neighbours, so fewer than `count` may come back. Rows of zeros join no cluster's
 * mean; they are assigned to 0. Centroids are learned from at most `MOST_LEARNED` rows, evenly spread over all.
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
  const learned = Math.min(rows, MOST_LEARNED)
  const most = Math.min(count, learned)
  const needed = threads ?? threadsFor(ITERATIONS * learned * most * dimensions)
  return inArena((arena) =>
    withThreads(arena, needed, async (run) => {
      const sample = spread(vectors, dimensions, learned)
      const { seeds, assign } = placed(arena, run, sample, dimensions, most)
      let centroids = await seeds(randomStream(seed))
      let assignment = await assign(centroids)
      for (let iteration = 0; iteration < ITERATIONS; iteration++) {
        centroids = means(sample, dimensions, assignment, centroids.length / dimensions)
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
      const all = learned === rows ? assignment : await placed(arena, run, vectors, dimensions, most).assign(centroids)
      return { count: centroids.length / dimensions, centroids, assignment: all }
    }),
  )
}

const ITERATIONS = 20
/** Some thousand rows a centroid tell where it belongs; the others tell the same. */
const MOST_LEARNED = 200_000

/** So many of the rows, evenly spread; all of them are not copied. */
function spread(vectors: Float32Array, dimensions: number, most: number): Float32Array {
  const rows = vectors.length / dimensions
  if (most === rows) return vectors
  const sample = new Float32Array(most * dimensions)
  for (let i = 0; i < most; i++) {
    const row = Math.floor((i * rows) / most)
    sample.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions)
  }
  return sample
}

type Placed = {
  /** As many as there may be, each drawn where the ones before it are far. */
  seeds: (random: () => number) => Promise<Float32Array>
  /** For each row the nearest centroid. */
  assign: (centroids: Float32Array) => Promise<Uint32Array>
}

/** What is asked of rows, in the arena. @param most centroids there may be */
function placed(arena: Arena, run: Run, vectors: Float32Array, dimensions: number, most: number): Placed {
  const width = Math.ceil(dimensions / 4) * 4
  const rows = vectors.length / dimensions
  const padded = (into: Float32Array, from: Float32Array): void => {
    for (let row = 0; row * dimensions < from.length; row++) into.set(from.subarray(row * dimensions, (row + 1) * dimensions), row * width)
  }
  const all = arena.f32(rows * width)
  padded(all, vectors)
  const places = arena.f32(most * width)
  const out = arena.u32(rows)
  const distance = arena.f32(rows)
  const [from, to, into, away] = addresses(all, places, out, distance)
  const task = { scratch: 0, scratchBytes: 0, count: rows, step: 1024 }
  return {
    seeds: async (random) => {
      const centroids = new Float32Array(most * dimensions)
      distance.fill(1)
      for (let c = 0; c < most; c++) {
        const row = drawn(distance, random)
        const own = vectors.subarray(row * dimensions, (row + 1) * dimensions)
        centroids.set(own, c * dimensions)
        padded(places, own)
        await run({ ...task, kernel: 'approachRows', arguments: [from, width, to, away] })
      }
      return centroids
    },
    assign: async (centroids) => {
      padded(places, centroids)
      await run({ ...task, kernel: 'assignRows', arguments: [from, width, to, centroids.length / dimensions, into] })
      return out.slice()
    },
  }
}

/** A row, as likely as its distance is large. */
function drawn(distance: Float32Array, random: () => number): number {
  let total = 0
  for (const value of distance) total += value
  let pick = random() * total
  let row = 0
  while (row < distance.length - 1 && pick >= distance[row]) pick -= distance[row++]
  return row
}

const sizesOf = (assignment: Uint32Array, count: number): number[] => {
  const sizes = new Array<number>(count).fill(0)
  for (const cluster of assignment) sizes[cluster]++
  return sizes
}

function means(vectors: Float32Array, dimensions: number, assignment: Uint32Array, count: number): Float32Array {
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

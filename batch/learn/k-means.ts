import { randomStream } from '../../shared/random.ts'

/** Unit vectors in rows; `assignment[row]` is the centroid nearest by cosine. */
export type Clusters = { count: number; centroids: Float32Array; assignment: Uint32Array }

/**
 * Spherical k-means (Dhillon & Modha 2001), seeded by k-means++ on cosine distance. Clusters with fewer than `smallest`
 * members are dissolved into their neighbours, so fewer than `count` may come back. Rows of zeros join no cluster's
 * mean; they are assigned to 0.
 */
export function sphericalKMeans(vectors: Float32Array, dimensions: number, count: number, smallest: number, seed: number): Clusters {
  const rows = vectors.length / dimensions
  let centroids = seeds(vectors, dimensions, rows, Math.min(count, rows), randomStream(seed))
  let assignment = assign(vectors, dimensions, centroids)
  for (let iteration = 0; iteration < 20; iteration++) {
    centroids = means(vectors, dimensions, assignment, centroids.length / dimensions)
    const next = assign(vectors, dimensions, centroids)
    const moved = next.some((cluster, row) => cluster !== assignment[row])
    assignment = next
    if (!moved) break
  }
  for (;;) {
    const sizes = sizesOf(assignment, centroids.length / dimensions)
    const least = sizes.indexOf(Math.min(...sizes))
    if (sizes.length <= 1 || sizes[least] >= smallest) break
    centroids = Float32Array.from(centroids.filter((_, k) => Math.floor(k / dimensions) !== least))
    assignment = assign(vectors, dimensions, centroids)
  }
  return { count: centroids.length / dimensions, centroids, assignment }
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

function assign(vectors: Float32Array, dimensions: number, centroids: Float32Array): Uint32Array {
  const count = centroids.length / dimensions
  const assignment = new Uint32Array(vectors.length / dimensions)
  for (let row = 0; row < assignment.length; row++) {
    let most = Number.NEGATIVE_INFINITY
    for (let c = 0; c < count; c++) {
      const cosine = dot(vectors, row, centroids, c, dimensions)
      if (cosine > most) {
        most = cosine
        assignment[row] = c
      }
    }
  }
  return assignment
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

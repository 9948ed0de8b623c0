import { randomStream } from '../../shared/random.ts'

export type Interval = { value: number; low: number; high: number }

const RESAMPLES = 2000

/**
 * Paired percentile bootstrap (Efron & Tibshirani 1993, 13.3) of means over queries: whole clusters are drawn with
 * replacement, the same ones for every column, so that differences between columns have intervals of their own.
 * @param columns one value a query each @param clusters which queries belong together
 * @returns for every column its mean with the middle 95 % of the resampled means, and the resampled means themselves
 */
export function bootstrap(
  columns: readonly Float64Array[],
  clusters: readonly number[],
  seed: number,
): { intervals: Interval[]; means: Float64Array[] } {
  const width = columns.length
  const index = new Map<number, number>()
  const of = clusters.map((cluster) => {
    const known = index.get(cluster)
    if (known !== undefined) return known
    index.set(cluster, index.size)
    return index.size - 1
  })
  // One row a cluster: the columns' sums, then how many queries it has.
  const rows = new Float64Array(index.size * (width + 1))
  of.forEach((cluster, query) => {
    const at = cluster * (width + 1)
    for (let c = 0; c < width; c++) rows[at + c] += columns[c][query]
    rows[at + width]++
  })
  const random = randomStream(seed)
  const means = columns.map(() => new Float64Array(RESAMPLES))
  const sum = new Float64Array(width + 1)
  const drawn = new Uint16Array(index.size)
  for (let resample = 0; resample < RESAMPLES; resample++) {
    sum.fill(0)
    drawn.fill(0)
    for (let i = 0; i < index.size; i++) drawn[Math.floor(random() * index.size)]++
    for (let cluster = 0; cluster < index.size; cluster++) {
      const times = drawn[cluster]
      if (times === 0) continue
      const at = cluster * (width + 1)
      for (let c = 0; c <= width; c++) sum[c] += times * rows[at + c]
    }
    for (let c = 0; c < width; c++) means[c][resample] = sum[c] / Math.max(1, sum[width])
  }
  const intervals = columns.map((column, c) => ({ value: mean(column), ...middle(means[c]) }))
  return { intervals, means }
}

/** The interval of one column's mean minus another's. */
export const difference = (a: Float64Array, b: Float64Array, meansA: Float64Array, meansB: Float64Array): Interval => ({
  value: mean(a) - mean(b),
  ...middle(meansA.map((value, i) => value - meansB[i])),
})

const mean = (column: Float64Array): number => column.reduce((sum, value) => sum + value, 0) / Math.max(1, column.length)

function middle(means: Float64Array): { low: number; high: number } {
  const sorted = means.slice().sort()
  return { low: sorted[Math.floor(0.025 * (sorted.length - 1))], high: sorted[Math.ceil(0.975 * (sorted.length - 1))] }
}

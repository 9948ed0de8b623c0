/** Share of the first k that is relevant; a slate shorter than k counts as filled with misses. */
export function precisionAt(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  let hits = 0
  for (let i = 0; i < Math.min(k, slate.length); i++) if (relevant.has(slate[i])) hits++
  return hits / k
}

/** Mean precision at the ranks of the hits among the first k, over min(k, |relevant|) (Manning, Raghavan & Schütze 2008, 8.4). */
export function averagePrecisionAt(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  let hits = 0
  let sum = 0
  for (let i = 0; i < Math.min(k, slate.length); i++) if (relevant.has(slate[i])) sum += ++hits / (i + 1)
  return relevant.size === 0 ? 0 : sum / Math.min(k, relevant.size)
}

/** Gini coefficient of how often each item is shown: 0 = all alike, near 1 = a few get everything (Gini 1912). */
export function gini(exposure: Float64Array): number {
  const sorted = exposure.slice().sort()
  let sum = 0
  let weighted = 0
  sorted.forEach((value, i) => {
    sum += value
    weighted += (2 * (i + 1) - sorted.length - 1) * value
  })
  return sum === 0 ? 0 : weighted / (sorted.length * sum)
}

/** Mean self-information −log2 of the shown items' shares, in bits (Zhou et al. 2010). Items of share 0 are left out. */
export function novelty(slates: readonly (readonly number[])[], share: Float64Array): number {
  let sum = 0
  let count = 0
  for (const item of slates.flat()) {
    if (share[item] === 0) continue
    sum -= Math.log2(share[item])
    count++
  }
  return sum / Math.max(1, count)
}

/** Mean 1 − cosine over the pairs of a slate, then over slates of two and more (Ziegler et al. 2005). Vectors of length 0 are orthogonal to all. */
export function intraListDistance(slates: readonly (readonly number[])[], vectors: Int8Array, dimensions: number): number {
  let sum = 0
  let judged = 0
  for (const slate of slates) {
    if (slate.length < 2) continue
    const units = slate.map((item) => unit(vectors.subarray(item * dimensions, (item + 1) * dimensions)))
    // Σ over pairs of u·v = (|Σu|² − Σ|u|²) / 2
    const total = new Float64Array(dimensions)
    let squares = 0
    for (const vector of units) {
      for (let d = 0; d < dimensions; d++) {
        total[d] += vector[d]
        squares += vector[d] * vector[d]
      }
    }
    const dots = (total.reduce((length, value) => length + value * value, 0) - squares) / 2
    const pairs = (slate.length * (slate.length - 1)) / 2
    sum += 1 - dots / pairs
    judged++
  }
  return sum / Math.max(1, judged)
}

function unit(vector: Int8Array): Float64Array {
  const length = Math.hypot(...vector)
  return Float64Array.from(vector, (value) => (length > 0 ? value / length : 0))
}

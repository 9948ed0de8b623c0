/** Ranking metrics over one slate and a set of relevant items (binary relevance, distinct items). All are in 0 … 1. */

/** Share of the relevant items among the first k (Herlocker et al. 2004). 0 when nothing is relevant. */
export function recallAt(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  return relevant.size === 0 ? 0 : hits(slate, relevant, k) / relevant.size
}

/** 1 when any of the first k is relevant. */
export const hitRateAt = (slate: readonly number[], relevant: ReadonlySet<number>, k: number): number =>
  hits(slate, relevant, k) > 0 ? 1 : 0

/** Discounted gain 1/log2(rank+1) over that of an ideal slate of min(k, |relevant|) items (Järvelin & Kekäläinen 2002). */
export function ndcgAt(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  let gain = 0
  let ideal = 0
  for (let rank = 1; rank <= k; rank++) {
    if (rank <= slate.length && relevant.has(slate[rank - 1])) gain += 1 / Math.log2(rank + 1)
    if (rank <= relevant.size) ideal += 1 / Math.log2(rank + 1)
  }
  return ideal === 0 ? 0 : gain / ideal
}

/** 1 / rank of the first relevant item, 0 beyond k (Voorhees 1999). */
export function reciprocalRankAt(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  for (let rank = 1; rank <= Math.min(k, slate.length); rank++) if (relevant.has(slate[rank - 1])) return 1 / rank
  return 0
}

function hits(slate: readonly number[], relevant: ReadonlySet<number>, k: number): number {
  let count = 0
  for (let i = 0; i < Math.min(k, slate.length); i++) if (relevant.has(slate[i])) count++
  return count
}

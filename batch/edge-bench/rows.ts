/** One figure of the edge bench. */
export type Row = { scenario: string; connections: number; metric: string; value: number }

/** The middle value; of an even number the lower one of the two. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0

/** The smallest value that at least a share `q` of the values does not exceed. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
}

/** Medians over rounds: rows of one scenario, number of connections and metric become one. */
export function medians(rows: readonly Row[]): Row[] {
  const groups = Map.groupBy(rows, ({ scenario, connections, metric }) => `${scenario} ${connections} ${metric}`)
  return Array.from(groups.values(), (group) => ({ ...group[0], value: median(group.map(({ value }) => value)) }))
}

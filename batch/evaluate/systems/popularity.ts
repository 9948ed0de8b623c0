import type { Dataset } from '../../dataset.ts'
import type { System, Trial } from '../trial.ts'

/** Items by how often they are taken. */
export function popularity({ train }: Pick<Trial, 'train'>): System {
  const order = mostTaken(counts(train, 0))
  return { name: 'popularity', rank: (_, k) => order.slice(0, k) }
}

export const DAY = 86_400
/** Days back from the end of training that are tried; the last is everything. */
export const WINDOWS = [1, 2, 3, 7, 14, 21, 30, 60, 90, 180, 36_500]

/** Deeds by item since a moment (Unix seconds), of everyone or of those seen in one of the data set's countries. */
export function counts({ items, deeds }: Dataset, since: number, country?: number): Float64Array {
  const count = new Float64Array(items.length)
  for (let k = 0; k < deeds.count; k++) {
    if (deeds.at[k] >= since && (country === undefined || deeds.country[k] === country)) count[deeds.item[k]]++
  }
  return count
}

export const mostTaken = (count: Float64Array): number[] => Array.from(count.keys()).sort((a, b) => count[b] - count[a] || a - b)

import { LOG_UNITS } from '../../shared/ranking/entry-cohort.ts'
import { continentRegion } from '../../shared/ranking/regions.ts'
import { hourBand } from '../../shared/ranking/visit-context.ts'
import type { EntryTables } from '../../shared/release/manifest.ts'
import { priorStrength, shrunk } from './back-off.ts'
import { contextAt } from './contexts.ts'
import { visitorStarts } from './histories.ts'
import type { Window } from './interactions.ts'
import { continentOf, type Membership } from './lists.ts'

/** The manifest travels with every cold start: only the regions with the most visitors have a row. */
const MOST_REGIONS = 40

/**
 * How the first visits of each cohort's visitors differ from everyone's. A cohort's shares are shrunk towards everyone's by
 * empirical Bayes, so that what a context does not tell is not told; a value needs `minVisitors` visitors.
 * Undefined without cohorts.
 */
export function entryTables({ dataset, until }: Window, membership: Membership, minVisitors: number): EntryTables | undefined {
  const { cohort, cohorts, country } = membership
  const { deeds } = dataset
  const starts = visitorStarts(dataset)
  const members = Array.from(cohort.keys()).filter((visitor) => cohort[visitor] >= 0 && deeds.at[starts[visitor]] < until)
  if (cohorts === 0 || members.length === 0) return undefined
  const sizes = new Float64Array(cohorts)
  for (const visitor of members) sizes[cohort[visitor]]++
  const rowsOf = (valuesOf: (visitor: number) => readonly (string | null)[], most = Number.POSITIVE_INFINITY): Record<string, number[]> => {
    const counts = new Map<string, Float64Array>()
    for (const visitor of members) {
      for (const value of valuesOf(visitor)) {
        if (value === null || value === '') continue
        const own = counts.get(value) ?? new Float64Array(cohorts)
        counts.set(value, own)
        own[cohort[visitor]]++
      }
    }
    return logLifts(counts, cohorts, minVisitors, most)
  }
  const first = (visitor: number) => contextAt(dataset, starts[visitor])
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return {
    prior: Array.from(sizes, (size) => units(Math.log((size + 1) / (total + cohorts)))),
    region: {
      ...rowsOf((visitor) => [country[visitor]], MOST_REGIONS),
      ...rowsOf((visitor) => [continentOf(country[visitor])].map((name) => (name === '' ? null : continentRegion(name)))),
    },
    referrer: rowsOf((visitor) => [first(visitor).referrer]),
    device: rowsOf((visitor) => [first(visitor).device]),
    hour: rowsOf((visitor) => [first(visitor).hour].map((hour) => (hour === null ? null : hourBand(hour)))),
  }
}

/** @param counts visitors by value and cohort */
function logLifts(counts: ReadonlyMap<string, Float64Array>, cohorts: number, minVisitors: number, most: number): Record<string, number[]> {
  const values = [...counts.keys()].sort()
  const byCohort = Array.from({ length: cohorts }, (_, cohort) => Float64Array.from(values, (value) => counts.get(value)?.[cohort] ?? 0))
  const everyone = Float64Array.from(values, (_, v) => byCohort.reduce((sum, own) => sum + own[v], 0))
  const shareOf = (column: Float64Array): Float64Array => {
    const total = column.reduce((sum, count) => sum + count + 1, 0)
    return column.map((count) => (count + 1) / total)
  }
  const strength = priorStrength(byCohort.map((own) => ({ counts: own, parent: shareOf(everyone.map((count, v) => count - own[v])) })))
  const parent = shareOf(everyone)
  const children = byCohort.map((own) => shrunk(own, parent, strength))
  const kept = values
    .map((value, v) => ({ value, v }))
    .filter(({ v }) => everyone[v] >= minVisitors)
    .sort((a, b) => everyone[b.v] - everyone[a.v] || a.v - b.v)
    .slice(0, most)
  return Object.fromEntries(kept.map(({ value, v }) => [value, children.map((own) => units(Math.log(own[v] / parent[v])))]))
}

const units = (log: number): number => Math.round(LOG_UNITS * log)

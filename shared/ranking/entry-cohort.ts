import type { EntryTables } from '../release/manifest.ts'
import { nearestList } from './candidates.ts'
import type { ReleaseView } from './release-view.ts'
import { hourBand, UNKNOWN_CONTEXT, type VisitContext } from './visit-context.ts'

/** Entries of the tables are hundredths of a natural logarithm. */
export const LOG_UNITS = 100

/**
 * P(cohort | region, referrer, device, hour) by naive Bayes: proportional to P(cohort) × Π P(value | cohort) / P(value)
 * (Manning, Raghavan & Schütze 2008, 13.2). A value without a row says nothing.
 * @param regions from the narrowest outwards; the first with a row counts
 */
export function cohortChances(tables: EntryTables, regions: readonly string[], { referrer, device, hour }: VisitContext): Float64Array {
  const region = regions.find((name) => tables.region[name] !== undefined)
  const rows = [
    region === undefined ? undefined : tables.region[region],
    referrer === null ? undefined : tables.referrer[referrer],
    device === null ? undefined : tables.device[device],
    hour === null ? undefined : tables.hour[hourBand(hour)],
  ]
  const logs = Float64Array.from(tables.prior, (prior, cohort) => rows.reduce((sum, row) => sum + (row?.[cohort] ?? 0), prior) / LOG_UNITS)
  const most = logs.reduce((top, value) => Math.max(top, value), Number.NEGATIVE_INFINITY)
  const weights = logs.map((value) => Math.exp(value - most))
  const total = weights.reduce((sum, value) => sum + value, 0)
  return weights.map((weight) => weight / total)
}

/** An item for a visitor without clicks. */
export type EntryItem = {
  item: number
  /** 0 … 1, relative to the best. */
  score: number
  /** Its share on the region's list, and what the context adds to that; a share of visitors each. */
  region: number
  context: number
  /** The cohort that adds most; -1 where none adds anything. */
  cohort: number
}

/** The likeliest cohort of those that have a list, and items, best first. */
export type EntryList = { cohort: number; items: EntryItem[] }

/**
 * The region's list, and the cohorts' lists as far as the context makes each cohort likelier or less likely than the region
 * alone does: share in the region + Σ (P(cohort | context) − P(cohort | region)) × share in the cohort's list. A context that
 * says nothing leaves the region's list as it is. Undefined where the release has no entry tables, or no lists.
 */
export function entryList(view: ReleaseView, regions: readonly string[], context: VisitContext): EntryList | undefined {
  const { entry } = view.manifest
  const home = nearestList(view, regions, -1)?.list
  if (entry === undefined || home === undefined) return undefined
  const chances = cohortChances(entry, regions, context)
  const usual = cohortChances(entry, regions, UNKNOWN_CONTEXT)
  const found = new Map<number, EntryItem & { most: number }>()
  const itemOf = (item: number): EntryItem & { most: number } => {
    const known = found.get(item) ?? { item, score: 0, region: 0, context: 0, cohort: -1, most: 0 }
    found.set(item, known)
    return known
  }
  for (let i = 0; i < home.items.length; i++) itemOf(home.items[i]).region = home.scores[i] * home.scale
  let likeliest = -1
  for (const [cohort, chance] of chances.entries()) {
    const list = nearestList(view, regions, cohort)?.list
    if (list === undefined) continue
    if (likeliest < 0 || chance > chances[likeliest]) likeliest = cohort
    const gain = (chance - usual[cohort]) * list.scale
    for (let i = 0; i < list.items.length; i++) {
      const entered = itemOf(list.items[i])
      const added = gain * list.scores[i]
      entered.context += added
      if (added > entered.most) {
        entered.most = added
        entered.cohort = cohort
      }
    }
  }
  if (likeliest < 0) return undefined
  const items = [...found.values()].filter(({ region, context }) => region + context > 0)
  const top = items.reduce((best, { region, context }) => Math.max(best, region + context), 0)
  return {
    cohort: likeliest,
    items: items
      .map(({ item, region, context, cohort }) => ({ item, score: (region + context) / top, region, context, cohort }))
      .sort((a, b) => b.score - a.score || a.item - b.item),
  }
}

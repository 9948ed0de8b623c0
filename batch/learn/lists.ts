import { type TCountryCode, countries as world } from 'countries-list'
import { continentRegion, EVERYWHERE } from '../../shared/ranking/regions.ts'
import type { ListInput } from '../../shared/release/list-pack.ts'
import { priorStrength, shares, shrunk } from './back-off.ts'
import type { Sparse } from './sparse.ts'

export type ListOptions = { length: number; minVisitors: number; minCohort: number; minCountry: number }

/** Who counts where: per visitor a country code ('' unknown) and a cohort (-1 = none). */
export type Membership = { country: string[]; cohort: Int32Array; cohorts: number }

export type Lists = {
  lists: ListInput[]
  /** Regions that have lists, `*` first. */
  regions: string[]
  /** Prior strengths, as the evidence in the report. */
  strengths: { continent: number; country: number; cohort: number; cell: number }
}

/** The two-letter continent of a country; '' where either is unknown. */
export const continentOf = (country: string): string => world[country as TCountryCode]?.continent ?? ''

/**
 * Top-N lists for everywhere, continents, countries, cohorts and cohorts within regions. Every list is estimated from
 * distinct visitors, weighted by recency, and shrunk towards its parent: country → continent → everywhere, and
 * a cohort's list within a region → cohort × region lift. An item counts in a cell only when `minVisitors` distinct visitors there have
 * it; else the parent's value stands, so that no list describes a person.
 */
export function estimateLists(byVisitor: Sparse, membership: Membership, options: ListOptions): Lists {
  const everyone = Uint32Array.from({ length: byVisitor.rows }, (_, visitor) => visitor).filter(
    (v) => byVisitor.start[v + 1] > byVisitor.start[v],
  )
  const countIn = (visitors: ArrayLike<number>): Float64Array => countItems(byVisitor, visitors, options.minVisitors)
  const everywhere = shares(countItems(byVisitor, everyone, 1))

  const byCountry = groupBy(everyone, (visitor) => membership.country[visitor])
  byCountry.delete('')
  const byContinent = groupBy(everyone, (visitor) => continentOf(membership.country[visitor]))
  byContinent.delete('')
  const continent = level(
    [...byContinent].map(([name, visitors]) => ({ name: continentRegion(name), visitors, parent: everywhere })),
    countIn,
  )
  const parentOf = (country: string): Float64Array => continent.shares.get(continentRegion(continentOf(country))) ?? everywhere
  const country = level(
    [...byCountry]
      .filter(([, visitors]) => visitors.length >= options.minCountry)
      .map(([name, visitors]) => ({ name, visitors, parent: parentOf(name) })),
    countIn,
  )
  const regions = new Map([[EVERYWHERE, everywhere], ...sorted(continent.shares), ...sorted(country.shares)])

  const byCohort = groupBy(
    everyone.filter((visitor) => membership.cohort[visitor] >= 0),
    (visitor) => String(membership.cohort[visitor]),
  )
  const cohort = level(
    [...byCohort].map(([name, visitors]) => ({ name, visitors, parent: everywhere })),
    countIn,
  )
  const cells = [...regions]
    .filter(([region]) => region !== EVERYWHERE)
    .flatMap(([region, regional]) =>
      [...byCohort].flatMap(([name, visitors]) => {
        const inside = visitors.filter(
          (visitor) => region === membership.country[visitor] || region === continentRegion(continentOf(membership.country[visitor])),
        )
        if (inside.length < options.minCohort) return []
        return [
          { name: `${region} ${name}`, visitors: inside, parent: lifted(cohort.shares.get(name) ?? everywhere, regional, everywhere) },
        ]
      }),
    )
  const cell = level(cells, countIn)

  const lists = [...regions].flatMap(([region, regional]) => [
    top(region, -1, regional, options.length),
    ...Array.from({ length: membership.cohorts }, (_, c) => ({
      c,
      list: region === EVERYWHERE ? cohort.shares.get(String(c)) : cell.shares.get(`${region} ${c}`),
    })).flatMap(({ c, list }) => (list === undefined ? [] : [top(region, c, list, options.length)])),
  ])
  const strengths = { continent: continent.strength, country: country.strength, cohort: cohort.strength, cell: cell.strength }
  return { lists, regions: [...regions.keys()], strengths }
}

type Child = { name: string; visitors: ArrayLike<number>; parent: Float64Array }

function level(
  children: Child[],
  countIn: (visitors: ArrayLike<number>) => Float64Array,
): { shares: Map<string, Float64Array>; strength: number } {
  const counts = children.map((child) => countIn(child.visitors))
  const strength = priorStrength(
    counts,
    children.map((child) => child.parent),
  )
  return { shares: new Map(children.map((child, i) => [child.name, shrunk(counts[i], child.parent, strength)])), strength }
}

/** What a cohort would want in a region if taste and place acted independently. */
function lifted(cohort: Float64Array, region: Float64Array, everywhere: Float64Array): Float64Array {
  const product = cohort.map((share, item) => (share * region[item]) / everywhere[item])
  const total = product.reduce((sum, value) => sum + value, 0)
  return product.map((value) => value / total)
}

function countItems(byVisitor: Sparse, visitors: ArrayLike<number>, minVisitors: number): Float64Array {
  const weight = new Float64Array(byVisitor.columns)
  const distinct = new Uint32Array(byVisitor.columns)
  for (let i = 0; i < visitors.length; i++) {
    for (let k = byVisitor.start[visitors[i]]; k < byVisitor.start[visitors[i] + 1]; k++) {
      weight[byVisitor.index[k]] += byVisitor.value[k]
      distinct[byVisitor.index[k]]++
    }
  }
  return weight.map((value, item) => (distinct[item] >= minVisitors ? value : 0))
}

function top(region: string, cohort: number, distribution: Float64Array, length: number): ListInput {
  const items = Array.from(distribution.keys())
    .sort((a, b) => distribution[b] - distribution[a] || a - b)
    .slice(0, length)
  return { region, cohort, items, scores: items.map((item) => distribution[item]) }
}

function groupBy(visitors: Uint32Array, key: (visitor: number) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const visitor of visitors) {
    const name = key(visitor)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [visitor])
    else group.push(visitor)
  }
  return new Map(sorted(groups))
}

const sorted = <T>(map: Map<string, T>): [string, T][] => [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))

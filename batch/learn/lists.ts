import { type TCountryCode, countries as world } from 'countries-list'
import { continentRegion, EVERYWHERE } from '../../shared/ranking/regions.ts'
import { topItems } from '../../shared/ranking/top.ts'
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
 * Top-N lists for everywhere, continents, countries, cohorts and cohorts within regions. Where people are and what kind
 * of visitor they are changes slowly, what is wanted changes fast: so a cell's *lift* over its parent is estimated from
 * the distinct visitors of the whole window, shrunk by empirical Bayes (country → continent → everywhere; a cohort
 * within a region → cohort × region), and the lifts are laid over the recency-weighted global list. An item counts in
 * a cell only when `minVisitors` distinct visitors there have it, so that no list describes a person.
 */
export function estimateLists(byVisitor: Sparse, membership: Membership, options: ListOptions): Lists {
  const everyone = Uint32Array.from({ length: byVisitor.rows }, (_, visitor) => visitor).filter(
    (v) => byVisitor.start[v + 1] > byVisitor.start[v],
  )
  const countIn = (visitors: ArrayLike<number>, least: number): Float64Array => countItems(byVisitor, visitors, least)
  const countAll = countItems(byVisitor, everyone, 1)
  const everywhere = shares(countAll)
  const without = (visitors: ArrayLike<number>): Float64Array => {
    const rest = countItems(byVisitor, visitors, 1)
    for (let item = 0; item < rest.length; item++) rest[item] = countAll[item] - rest[item]
    return shares(rest)
  }
  const lately = shares(recentWeights(byVisitor))

  const byCountry = groupBy(everyone, (visitor) => membership.country[visitor])
  byCountry.delete('')
  const byContinent = groupBy(everyone, (visitor) => continentOf(membership.country[visitor]))
  byContinent.delete('')
  const continent = level(
    [...byContinent].map(([name, visitors]) => ({
      name: continentRegion(name),
      visitors,
      parent: () => everywhere,
      rest: () => without(visitors),
    })),
    countIn,
    options.minVisitors,
  )
  const continentShares = sharesOf(continent)
  const parentOf = (country: string): Float64Array => continentShares.get(continentRegion(continentOf(country))) ?? everywhere
  const country = level(
    [...byCountry]
      .filter(([, visitors]) => visitors.length >= options.minCountry)
      .map(([name, visitors]) => ({ name, visitors, parent: () => parentOf(name), rest: () => without(visitors) })),
    countIn,
    options.minVisitors,
  )
  const regions = new Map([[EVERYWHERE, everywhere], ...sorted(continentShares), ...sorted(sharesOf(country))])

  const byCohort = groupBy(
    everyone.filter((visitor) => membership.cohort[visitor] >= 0),
    (visitor) => String(membership.cohort[visitor]),
  )
  const cohort = level(
    [...byCohort].map(([name, visitors]) => ({ name, visitors, parent: () => everywhere, rest: () => without(visitors) })),
    countIn,
    options.minVisitors,
  )
  const cohortShares = sharesOf(cohort)
  const cells = [...regions]
    .filter(([region]) => region !== EVERYWHERE)
    .flatMap(([region, regional]) =>
      [...byCohort].flatMap(([name, visitors]) => {
        const inside = visitors.filter(
          (visitor) => region === membership.country[visitor] || region === continentRegion(continentOf(membership.country[visitor])),
        )
        if (inside.length < options.minCohort) return []
        const parent = (): Float64Array => lifted(cohortShares.get(name) ?? everywhere, regional, everywhere)
        return [{ name: `${region} ${name}`, visitors: inside, parent, rest: parent }]
      }),
    )
  const cell = level(cells, countIn, options.minVisitors)

  const all = Uint32Array.from({ length: byVisitor.columns }, (_, item) => item)
  const lists = [...regions].flatMap(([region, regional]) => [
    top(all, region, -1, lifted(regional, lately, everywhere), options.length),
    ...Array.from({ length: membership.cohorts }, (_, c) => ({
      c,
      list: region === EVERYWHERE ? cohortShares.get(String(c)) : cell.shareOf(`${region} ${c}`),
    })).flatMap(({ c, list }) => (list === undefined ? [] : [top(all, region, c, lifted(list, lately, everywhere), options.length)])),
  ])
  const strengths = { continent: continent.strength, country: country.strength, cohort: cohort.strength, cell: cell.strength }
  return { lists, regions: [...regions.keys()], strengths }
}

/**
 * Distributions over items are made when they are asked for: those of all cells at once would be gigabytes.
 * `rest` is the parent as it is without this child, where that can be told apart.
 */
type Child = { name: string; visitors: ArrayLike<number>; parent: () => Float64Array; rest: () => Float64Array }

type Level = { names: string[]; strength: number; shareOf: (name: string) => Float64Array | undefined }

/** The strength is one power of two for all of a level: so many children, evenly spread, tell it as well as a thousand. */
const MOST_EVIDENCE = 200

/** The strength of the prior is estimated from all counts, a single number that tells nothing of anyone; the lists from those that may be shown. */
function level(
  children: readonly Child[],
  countIn: (visitors: ArrayLike<number>, least: number) => Float64Array,
  minVisitors: number,
): Level {
  const asked = Math.min(children.length, MOST_EVIDENCE)
  const evidence = function* () {
    for (let i = 0; i < asked; i++) {
      const { visitors, rest } = children[Math.floor((i * children.length) / asked)]
      yield { counts: countIn(visitors, 1), parent: rest() }
    }
  }
  const strength = priorStrength(evidence())
  const byName = new Map(children.map((child) => [child.name, child]))
  return {
    names: children.map(({ name }) => name),
    strength,
    shareOf: (name) => {
      const child = byName.get(name)
      return child && shrunk(countIn(child.visitors, minVisitors), child.parent(), strength)
    },
  }
}

const sharesOf = ({ names, shareOf }: Level): Map<string, Float64Array> =>
  new Map(names.flatMap((name) => [shareOf(name)].flatMap((share) => (share === undefined ? [] : [[name, share] as const]))))

/** One distribution with the lift that another has over everywhere laid on it: as if the two acted independently. */
function lifted(base: Float64Array, other: Float64Array, everywhere: Float64Array): Float64Array {
  const product = new Float64Array(base.length)
  let total = 0
  for (let item = 0; item < product.length; item++) {
    product[item] = (base[item] * other[item]) / everywhere[item]
    total += product[item]
  }
  for (let item = 0; item < product.length; item++) product[item] /= total
  return product
}

/** Distinct visitors by item; 0 where there are fewer than `minVisitors`. */
function countItems(byVisitor: Sparse, visitors: ArrayLike<number>, minVisitors: number): Float64Array {
  const distinct = new Float64Array(byVisitor.columns)
  for (let i = 0; i < visitors.length; i++) {
    const end = byVisitor.start[visitors[i] + 1]
    for (let k = byVisitor.start[visitors[i]]; k < end; k++) distinct[byVisitor.index[k]]++
  }
  if (minVisitors > 1) for (let item = 0; item < distinct.length; item++) if (distinct[item] < minVisitors) distinct[item] = 0
  return distinct
}

function recentWeights(byVisitor: Sparse): Float64Array {
  const weight = new Float64Array(byVisitor.columns)
  for (let k = 0; k < byVisitor.index.length; k++) weight[byVisitor.index[k]] += byVisitor.value[k]
  return weight
}

function top(all: Uint32Array, region: string, cohort: number, distribution: Float64Array, length: number): ListInput {
  const items = Array.from(topItems(all, all.length, distribution, length))
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

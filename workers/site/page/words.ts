import type { Reason, RecommendedItem } from '../../../shared/schemas/recommendations.ts'

const countries = new Intl.DisplayNames('en', { type: 'region' })
const continents: Record<string, string> = {
  AF: 'Africa',
  AN: 'Antarctica',
  AS: 'Asia',
  EU: 'Europe',
  NA: 'North America',
  OC: 'Oceania',
  SA: 'South America',
}
const withArticle = new Set(['GB', 'US', 'NL', 'AE', 'PH', 'BS'])
const pounds = new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'GBP' })

/** `DE` is Germany, `@EU` Europe, `*` the whole world; a region of the site's own making keeps its name. */
export function placeName(region: string): string {
  if (region === '*') return 'the whole world'
  if (region.startsWith('@')) return continents[region.slice(1)] ?? region
  try {
    return `${withArticle.has(region) ? 'the ' : ''}${countries.of(region) ?? region}`
  } catch {
    return region
  }
}

export const money = (price: number | undefined): string => (price === undefined ? '' : pounds.format(price))

/** Catalogues that shout are read in a normal voice. */
export function titleOf(item: Pick<RecommendedItem, 'id' | 'values'>): string {
  const title = item.values.title ?? item.id
  return title === title.toUpperCase() && /[A-Z]{3}/.test(title) ? calm(title) : title
}

const calm = (title: string): string =>
  title
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/(^|[\s\-/(])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())
    .replace(/\b(Of|And|In|The|With|For|On|A)\b/g, (word, _group, at: number) => (at === 0 ? word : word.toLowerCase()))

export const textOf = (item: Pick<RecommendedItem, 'values'>, property: string): string => {
  const value = item.values[property]
  return typeof value === 'string' ? value : ''
}

/** Null for a reason that this page has no words for. */
export function reasonInWords(reason: Reason, titles: (id: string) => string | undefined): string | null {
  switch (reason.code) {
    case 'similar-to':
      return `It is like ${named(reason, titles)}.`
    case 'bought-with':
      return `It is often bought together with ${named(reason, titles)}.`
    case 'popular-in':
      return `It is popular in ${placeName(reason.region)}.`
    case 'trending-in':
      return `It is rising right now in ${placeName(reason.region)}.`
    case 'popular-with-cohort':
      return `Visitors with a taste like yours choose it (cohort ${reason.cohort}).`
    case 'again':
      return 'You bought it before.'
    case 'chosen':
      return 'You said that you like it.'
    case 'viewed':
      return 'You looked at it before.'
    case 'new':
      return 'It is new in the shop.'
    default:
      return null
  }
}

const named = (reason: { item: string; title?: string }, titles: (id: string) => string | undefined): string =>
  `“${titleOf({ id: reason.item, values: { title: reason.title ?? titles(reason.item) ?? reason.item } })}”`

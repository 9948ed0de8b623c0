import type { Reason } from '../../../shared/schemas/recommendations.ts'

export const regions: readonly { country: string; continent: string }[] = [
  { country: 'GB', continent: 'EU' },
  { country: 'DE', continent: 'EU' },
  { country: 'FR', continent: 'EU' },
  { country: 'SE', continent: 'EU' },
  { country: 'US', continent: 'NA' },
  { country: 'BR', continent: 'SA' },
  { country: 'IN', continent: 'AS' },
  { country: 'JP', continent: 'AS' },
  { country: 'AU', continent: 'OC' },
  { country: 'ZA', continent: 'AF' },
]

const names = new Intl.DisplayNames('en', { type: 'region' })
const continents: Record<string, string> = {
  '@AF': 'Africa',
  '@AS': 'Asia',
  '@EU': 'Europe',
  '@NA': 'North America',
  '@OC': 'Oceania',
  '@SA': 'South America',
  '*': 'the whole world',
}

export const placeName = (region: string): string => continents[region] ?? names.of(region) ?? region

const money = new Intl.NumberFormat('en-GB', { style: 'currency', currency: 'GBP' })
export const price = (value: unknown): string => (typeof value === 'number' && value > 0 ? money.format(value) : '')

/** Catalogues that shout are read more quietly. */
export function titleOf(text: unknown, id: string): string {
  if (typeof text !== 'string' || text === '') return id
  return text === text.toUpperCase()
    ? text.toLowerCase().replace(/(^|[\s/(-])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase())
    : text
}

export function reasonWords(reason: Reason): string {
  switch (reason.code) {
    case 'similar-to':
      return `People who like ${titleOf(reason.title, reason.item)} like this too.`
    case 'bought-with':
      return `Often chosen along with ${titleOf(reason.title, reason.item)}.`
    case 'popular-in':
      return `Popular in ${placeName(reason.region)}.`
    case 'trending-in':
      return `On the rise in ${placeName(reason.region)} right now.`
    case 'popular-with-cohort':
      return `A favourite of visitors with a taste like yours (group ${reason.cohort}).`
    case 'again':
      return 'You bought it before.'
    case 'viewed':
      return 'You looked at it a moment ago.'
    case 'new':
      return 'New in the shop, and close to what you look at.'
  }
}

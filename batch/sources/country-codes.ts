import { countries } from 'countries-list'

const byName = new Map(Object.entries(countries).map(([code, { name }]) => [name.toLowerCase(), code]))

/** Names under which data sets know a country that the list of countries calls otherwise. */
const OTHER_NAMES: Record<string, string> = {
  eire: 'IE',
  rsa: 'ZA',
  usa: 'US',
  'channel islands': 'JE',
  'czech republic': 'CZ',
  uk: 'GB',
  korea: 'KR',
}

/** ISO 3166-1 alpha-2 of a country's English name, or of a code that is one already; null for what is no country. */
export function countryCode(name: string): string | null {
  const key = name.trim().toLowerCase()
  if (key.toUpperCase() in countries) return key.toUpperCase()
  return byName.get(key) ?? OTHER_NAMES[key] ?? null
}

import type { ItemValues } from './schemas/recommendations.ts'

/** Values that say nothing of what an item is like, or that have terms of their own. */
const NOT_CONTENT = new Set(['title', 'category', 'price', 'url', 'image'])

/** A longer text is a description, and hardly any two items share all of it. */
const LONGEST_VALUE = 60

/** What an item is described by: category, words of the title, what it costs about, and every short property. */
export function termsOf(values: ItemValues): string[] {
  const { category = '', price = 0, title = '' } = values
  const named = category === '' ? [] : [`category ${category}`]
  const properties = Object.entries(values).flatMap(([name, value]) => {
    if (NOT_CONTENT.has(name)) return []
    const parts = Array.isArray(value) ? value : [value]
    return parts.flatMap((part) => (typeof part === 'string' && part.length > 0 && part.length <= LONGEST_VALUE ? [`${name} ${part}`] : []))
  })
  return [...new Set([...named, ...words(title), ...priceTerms(price), ...properties])]
}

const words = (title: string): string[] => title.toLowerCase().match(/\p{L}{3,}/gu) ?? []

/** Two overlapping steps of a factor of 2 each, so that prices on both sides of a border still have one in common. */
function priceTerms(price: number): string[] {
  if (price <= 0) return []
  const step = Math.floor(2 * Math.log2(price))
  return [`price ${step}`, `price ${step + 1}`]
}

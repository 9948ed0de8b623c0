import type { CatalogueItem, Dataset } from '../dataset.ts'
import { type Sparse, SparseBuilder } from './sparse.ts'

/** Values that say nothing of what an item is like, or that have terms of their own. */
const NOT_CONTENT = new Set(['title', 'category', 'price', 'url', 'image'])

/** A longer text is a description, and hardly any two items share all of it. */
const LONGEST_VALUE = 60

/** items × terms of the catalogue, weighted by inverse document frequency, rows of unit length (empty without a term that another item has). */
export function contentRows({ items }: Dataset): Sparse {
  const terms = items.map(termsOf)
  const documents = new Map<string, number>()
  for (const term of terms.flat()) documents.set(term, (documents.get(term) ?? 0) + 1)
  const column = new Map([...documents].filter(([, count]) => count > 1).map(([term], i) => [term, i]))
  const builder = new SparseBuilder(column.size)
  for (const list of terms) {
    const entries = list.flatMap((term) => {
      const at = column.get(term)
      return at === undefined ? [] : [{ at, idf: Math.log(terms.length / (documents.get(term) ?? 1)) + 0.1 }]
    })
    entries.sort((a, b) => a.at - b.at)
    const length = Math.hypot(...entries.map(({ idf }) => idf))
    for (const { at, idf } of entries) builder.push(at, idf / length)
    builder.endRow()
  }
  return builder.build()
}

/** What an item is described by: category, words of the title, what it costs about, and every short property. */
export function termsOf({ category, price, values }: CatalogueItem): string[] {
  const named = category === '' ? [] : [`category ${category}`]
  const title = typeof values.title === 'string' ? values.title : ''
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

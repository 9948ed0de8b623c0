import { termsOf } from '../../shared/content-terms.ts'
import type { Dataset } from '../dataset.ts'
import { type Sparse, SparseBuilder } from './sparse.ts'

/** items × terms of the catalogue, weighted by inverse document frequency, rows of unit length (empty without a term that another item has). */
export function contentRows({ items }: Dataset): Sparse {
  const terms = items.map(({ values, category, price }) => termsOf({ ...values, category, price }))
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

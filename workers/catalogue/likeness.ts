import { termsOf } from '../../shared/content-terms.ts'
import { openDisplay } from '../../shared/release/display-pack.ts'
import { type LiveItem, valuesOf } from '../../shared/schemas/items.ts'
import type { ItemValues } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { readPack } from '../releases/pack-reader.ts'

/** How many items a new one is like, at most. */
const MOST_LIKE = 20
/** A Worker may ask storage for 1,000 things in one go. The packs with what most visitors need come first. */
const MOST_PACKS = 400

type Like = LiveItem['like']

/** What a release's items are described by: by term, which of `ids` have it. */
export type Terms = { ids: string[]; postings: Map<string, number[]> }

/** One pass over the release's display packs, a pack at a time: 50,000 items or so, of more those that most visitors need. @throws where one cannot be read */
export async function readTerms(env: Env, { manifest }: LoadedRelease): Promise<Terms> {
  const ids: string[] = []
  const postings: Terms['postings'] = new Map()
  for (const { hash } of manifest.display.slice(0, MOST_PACKS)) {
    const pack = await openDisplay(await readPack(env, hash), hash)
    for (let slot = pack.first; slot < pack.first + pack.rows; slot++) {
      const item = ids.push(pack.id(slot)) - 1
      for (const term of termsOf(JSON.parse(pack.json(slot)) as ItemValues)) {
        const known = postings.get(term)
        if (known === undefined) postings.set(term, [item])
        else known.push(item)
      }
    }
  }
  return { ids, postings }
}

/**
 * What each of the new items is like, by what the catalogue says of both: cosine over terms weighted by inverse document
 * frequency (Salton & Buckley 1988), the same terms as the night's.
 * @returns one row for each of `items`, best first
 */
export function likeness({ ids, postings }: Terms, items: readonly LiveItem[]): Like[] {
  const fresh = items.map(({ fields }) => termsOf(valuesOf(fields)))
  const more = new Map<string, number>()
  for (const term of fresh.flat()) more.set(term, (more.get(term) ?? 0) + 1)
  const total = ids.length + fresh.length
  const squareOf = (term: string): number => (Math.log(total / ((postings.get(term)?.length ?? 0) + (more.get(term) ?? 0))) + 0.1) ** 2
  const squares = new Float64Array(ids.length)
  for (const [term, known] of postings) {
    const square = squareOf(term)
    for (const item of known) squares[item] += square
  }
  return fresh.map((terms) => {
    const products = new Float64Array(ids.length)
    let own = 0
    for (const term of terms) {
      const square = squareOf(term)
      own += square
      for (const item of postings.get(term) ?? []) products[item] += square
    }
    return best(products.map((product, item) => (product > 0 ? product / Math.sqrt(own * squares[item]) : 0)))
      .sort((a, b) => b.weight - a.weight || (ids[a.item] < ids[b.item] ? -1 : 1))
      .slice(0, MOST_LIKE)
      .map(({ item, weight }) => ({ item: ids[item], weight: Math.round(weight * 1e4) / 1e4 }))
  })
}

/** Those of the weights that are among the greatest, ties included. */
function best(weights: Float64Array): { item: number; weight: number }[] {
  const least = weights.toSorted().at(-MOST_LIKE) ?? 0
  const found: { item: number; weight: number }[] = []
  for (const [item, weight] of weights.entries()) if (weight > 0 && weight >= least) found.push({ item, weight })
  return found
}

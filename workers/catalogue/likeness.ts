import { termsOf } from '../../shared/content-terms.ts'
import { openDisplay } from '../../shared/release/display-pack.ts'
import { type LiveItem, valuesOf } from '../../shared/schemas/items.ts'
import type { ItemValues } from '../../shared/schemas/recommendations.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { readPack } from '../releases/pack-reader.ts'

/** How many items a new one is like, at most. */
const MOST_LIKE = 20

type Like = LiveItem['like']

/**
 * What each of the new items is like, by what the catalogue says of both: cosine over terms weighted by inverse document
 * frequency (Salton & Buckley 1988), the same terms as the night's. One pass over the release's display packs, a pack at a time.
 * @returns one row for each of `items`, best first @throws where a pack cannot be read
 */
export async function likeness(env: Env, release: LoadedRelease, items: readonly LiveItem[]): Promise<Like[]> {
  if (items.length === 0) return []
  const vocabulary = new Map<string, number>()
  const documents: number[] = []
  const idsOf = (values: ItemValues): Uint32Array =>
    Uint32Array.from(termsOf(values), (term) => {
      const id = vocabulary.get(term) ?? vocabulary.size
      vocabulary.set(term, id)
      documents[id] = (documents[id] ?? 0) + 1
      return id
    })
  const known: { id: string; terms: Uint32Array }[] = []
  for (const name of release.manifest.display) {
    const pack = await openDisplay(await readPack(env, name.hash), name.hash)
    for (let slot = pack.first; slot < pack.first + pack.rows; slot++)
      known.push({ id: pack.id(slot), terms: idsOf(JSON.parse(pack.json(slot)) as ItemValues) })
  }
  const fresh = items.map(({ fields }) => idsOf(valuesOf(fields)))
  const total = known.length + fresh.length
  const weight = Float64Array.from(documents, (count) => Math.log(total / count) + 0.1)
  const length = (terms: Uint32Array): number => Math.sqrt(terms.reduce((sum, term) => sum + weight[term] ** 2, 0))
  const lengths = known.map(({ terms }) => length(terms))
  return fresh.map((terms) => {
    const own = new Set(terms)
    const norm = length(terms)
    return known
      .map(({ id, terms: others }, i) => ({
        item: id,
        weight:
          norm > 0 && lengths[i] > 0
            ? others.reduce((sum, term) => (own.has(term) ? sum + weight[term] ** 2 : sum), 0) / (norm * lengths[i])
            : 0,
      }))
      .filter((other) => other.weight > 0)
      .sort((a, b) => b.weight - a.weight || (a.item < b.item ? -1 : 1))
      .slice(0, MOST_LIKE)
      .map((other) => ({ ...other, weight: Math.round(other.weight * 1e4) / 1e4 }))
  })
}

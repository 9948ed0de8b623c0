import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'

/** Which edition a release is, by its id. */
export type Editions = ReadonlyMap<string, number>

export type Verdict = { mixed: string } | { fallback: string } | null

/** Nobody should come down to these while releases change. */
const FALLBACKS: readonly string[] = ['previous-release', 'bundled']

/**
 * Whether all of an answer is of the release that it names, as far as made-up releases tell: the values of every item carry the
 * release's edition, and no item is there that the edition's lists and neighbours cannot name, but what the visitor clicked.
 * @param own ids that the visitor has clicked
 */
export function judge({ release, rung, items }: RecommendationAnswer, editions: Editions, own: ReadonlySet<string>): Verdict {
  if (release === null || FALLBACKS.includes(rung)) return { fallback: `an answer came from the rung ${rung}` }
  const edition = editions.get(release)
  for (const { id, values } of items) {
    if (values.edition !== edition) return { mixed: `${id} of edition ${values.edition} in an answer of ${release}, edition ${edition}` }
    if (values.listed !== true && !own.has(id))
      return { mixed: `${id}, which edition ${edition} does not list, in an answer of ${release}` }
  }
  return items.length === 0 ? { mixed: `an answer of ${release} without items` } : null
}

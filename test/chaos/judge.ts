import { type RankAnswer, type RecommendationAnswer, rungs } from '../../shared/schemas/recommendations.ts'
import type { Edition } from './world.ts'

/** Says what is wrong with an answer; null where it is whole. */
export type Judge = {
  /** `meant`: it must be of the release that is live. */
  slate(text: string, asked: { length: number; exactly: boolean; meant: boolean }): string | null
  ranked(text: string, ids: readonly string[]): string | null
  /** From now on answers of this release are known. */
  knows(edition: Pick<Edition, 'release' | 'valuesOf'>): void
}

/**
 * @param bundled what items of the bundled list look like, by id @param editionOf what those of an edition look like, where
 * releases are not known beforehand: the first answer of one then tells which edition it is
 */
export function makeJudge(bundled: ReadonlyMap<string, string>, editionOf?: (edition: number) => ReadonlyMap<string, string>): Judge {
  const looks = new Map<string | null, ReadonlyMap<string, string>>([[null, bundled]])
  return {
    knows: ({ release, valuesOf }) => looks.set(release, valuesOf),
    /** `meant`: it must be of the release that is live. */
    slate(text, { length, exactly, meant }) {
      const answer: RecommendationAnswer = JSON.parse(text)
      const { items, rung, release } = answer
      const known = looks.get(release) ?? editionOf?.(Number(items[0]?.values.edition))
      if (known !== undefined) looks.set(release, known)
      if (meant && (rung === 'bundled' || rung === 'previous-release')) return `rung ${rung}`
      if (known === undefined) return `unknown release ${release}`
      if (!rungs.includes(rung) || (release === null) !== (rung === 'bundled')) return `rung ${rung} of release ${release}`
      if (exactly ? items.length !== length : items.length < 1 || items.length > length) return `${items.length} items of ${length}`
      if (new Set(items.map(({ id }) => id)).size !== items.length) return 'an item twice'
      for (const [i, { id, position, score, values }] of items.entries()) {
        if (position !== i + 1) return `position ${position} at place ${i + 1}`
        if (!Number.isFinite(score)) return `score ${score}`
        if (known.get(id) !== JSON.stringify(values)) return 'mixed: an item that is not of the release'
      }
      return null
    },
    ranked(text, ids) {
      const { items, release }: RankAnswer = JSON.parse(text)
      if (editionOf === undefined && !looks.has(release)) return `unknown release ${release}`
      if (
        items
          .map(({ id }) => id)
          .sort()
          .join() !== [...ids].sort().join()
      )
        return 'other items than were sent'
      if (items.some(({ position, score }, i) => position !== i + 1 || !(score === null || Number.isFinite(score))))
        return 'a place or score that is none'
      if (release !== null && items.some(({ score }) => score === null)) return 'a known item without a score'
      return null
    },
  }
}

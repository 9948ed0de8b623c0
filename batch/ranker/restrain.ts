import { ndcgAt, recallAt } from '../../shared/metrics.ts'
import { features } from '../../shared/ranking/features.ts'
import { ordered } from '../../shared/ranking/rank.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { balanced, ENOUGH_OF_A_KIND, gathered, rankerScores, type ServedView, slateOf } from './choose.ts'
import type { Decision } from './decisions.ts'

/** How much a place further down by the merged score costs a candidate, on the scale of the ranker's scores: what is tried. */
const RESTRAINTS = [0, 0.25, 0.5, 1, 2]

/** A kind of decision may lose so much of recall or of NDCG, or one standard error where that is more: of few, chance takes more. */
const BY_CHANCE = 0.01

const RANK = features.findIndex(({ name }) => name === 'rank')

/** The ranker minus `by` times the log of the place by merged score: between the ranker (0) and the merged order (without end). */
export function restrained(weights: Weights, by: number): Weights {
  const skip = Float32Array.from(weights.skip)
  skip[RANK] -= by
  return { ...weights, skip }
}

export type Restrained = {
  /** Null where the merged score serves better, or one of the two figures would pay for the other. */
  weights: Weights | null
  /** How much the merged order holds it back. */
  by: number
  /** What each would show for the decisions: the merged score, and the ranker chosen, or at its own where none is. */
  merged: number[][]
  ranked: number[][]
}

/**
 * How far a ranker is to be followed: as far as it gains in recall@20 + NDCG@20 over the merged score on decisions that it
 * was not trained on, and neither of the two falls.
 */
export function restrain(view: ServedView, decisions: readonly Decision[], weights: Weights): Restrained {
  const merged: number[][] = []
  const slates = RESTRAINTS.map((): number[][] => [])
  for (const { candidates, features } of gathered(view, decisions)) {
    const all = features()
    merged.push(slateOf({ candidates, features: () => all }, null, 20))
    const own = rankerScores(weights, all, candidates.count)
    for (const [k, by] of RESTRAINTS.entries()) {
      const scores = own.map((score, i) => score - by * all[i * weights.features + RANK])
      slates[k].push(Array.from(ordered(candidates, scores).order.subarray(0, 20), (i) => candidates.item[i]))
    }
  }
  const least = balanced(decisions, merged)
  const chosen = slates.findIndex((shown) => balanced(decisions, shown) > least && holdsBoth(decisions, merged, shown))
  return chosen < 0
    ? { weights: null, by: 0, merged, ranked: slates[0] }
    : { weights: restrained(weights, RESTRAINTS[chosen]), by: RESTRAINTS[chosen], merged, ranked: slates[chosen] }
}

/** Whether neither recall nor NDCG falls, over all kinds together, nor by more than chance in any that there are enough of. */
export function holdsBoth(decisions: readonly Decision[], before: readonly number[][], after: readonly number[][]): boolean {
  const kinds = Map.groupBy(decisions.keys(), (i) => decisions[i].kind)
  return [recallAt, ndcgAt].every((metric) => {
    const qualityOf = (shown: readonly number[][], i: number): number => metric(shown[i], decisions[i].next, 20)
    let gain = 0
    for (const own of kinds.values()) {
      const was = own.map((i) => qualityOf(before, i))
      const gains = own.map((i, k) => qualityOf(after, i) - was[k])
      const mean = sum(gains) / own.length
      gain += Math.min(1, own.length / ENOUGH_OF_A_KIND) * mean
      const standardError = Math.sqrt(sum(gains.map((one) => (one - mean) ** 2))) / own.length
      const chance = Math.max((BY_CHANCE * sum(was)) / own.length, standardError)
      if (own.length >= ENOUGH_OF_A_KIND && mean < -chance) return false
    }
    return gain >= 0
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

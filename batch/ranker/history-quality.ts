import { historyWeights } from '../../shared/ranking/history-weights.ts'
import { topItems } from '../../shared/ranking/top.ts'
import { balanced } from './choose.ts'
import type { Decision } from './decisions.ts'
import { USUAL_RECALL } from './usual-recall.ts'

export const SLATE = 20

/** Item of the history, and how much it counts: less, the longer ago. */
export type Faded = { item: number; weight: number }

export function fadedHistory({ history }: Pick<Decision, 'history'>): Faded[] {
  const weights = historyWeights(history, { ...USUAL_RECALL, historyItems: history.length })
  return history.map(({ item }, position) => ({ item, weight: weights[position] }))
}

/**
 * How well slates that rest on the history alone foretell what comes next; decisions without a history ask nothing.
 * @param slatesOf for each of the decisions given to it, the items shown
 */
export async function slatesQuality(
  decisions: readonly Decision[],
  slatesOf: (asked: readonly Decision[]) => number[][] | Promise<number[][]>,
): Promise<number> {
  const asked = decisions.filter(({ history }) => history.length > 0)
  return balanced(asked, await slatesOf(asked))
}

/**
 * The same of scores. The history itself and what is barred are left out.
 * @param items how many there are
 * @param scoreInto writes scores of items, all 0 before, and says which items may be shown for them
 */
export function historyQuality(
  items: number,
  decisions: readonly Decision[],
  scoreInto: (score: Float32Array, history: readonly Faded[]) => Uint32Array,
): Promise<number> {
  const score = new Float32Array(items)
  return slatesQuality(decisions, (asked) =>
    asked.map((decision) => {
      score.fill(0)
      const scored = scoreInto(score, fadedHistory(decision))
      for (const { item } of decision.history) score[item] = Number.NEGATIVE_INFINITY
      for (const item of decision.barred) score[item] = Number.NEGATIVE_INFINITY
      return Array.from(topItems(scored, scored.length, score, SLATE)).filter((item) => score[item] > Number.NEGATIVE_INFINITY)
    }),
  )
}

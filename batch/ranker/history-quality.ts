import { historyWeights } from '../../shared/ranking/history-weights.ts'
import { topItems } from '../../shared/ranking/top.ts'
import { balanced } from './choose.ts'
import type { Decision } from './decisions.ts'
import { USUAL_RECALL } from './usual-recall.ts'

const SLATE = 20

/** Item of the history, and how much it counts: less, the longer ago. */
export type Faded = { item: number; weight: number }

/**
 * How well scores that rest on the history alone rank what comes next. The history itself and what is barred are left
 * out; decisions without a history ask nothing.
 * @param items how many there are
 * @param scoreInto writes scores of items, all 0 before, and says which items may be shown for them
 */
export function historyQuality(
  items: number,
  decisions: readonly Decision[],
  scoreInto: (score: Float32Array, history: readonly Faded[]) => Uint32Array,
): number {
  const asked = decisions.filter(({ history }) => history.length > 0)
  const score = new Float32Array(items)
  const slates = asked.map(({ history, barred }) => {
    score.fill(0)
    const weights = historyWeights(history, { ...USUAL_RECALL, historyItems: history.length })
    const scored = scoreInto(
      score,
      history.map(({ item }, position) => ({ item, weight: weights[position] })),
    )
    for (const { item } of history) score[item] = Number.NEGATIVE_INFINITY
    for (const item of barred) score[item] = Number.NEGATIVE_INFINITY
    return Array.from(topItems(scored, scored.length, score, SLATE)).filter((item) => score[item] > Number.NEGATIVE_INFINITY)
  })
  return balanced(asked, slates)
}

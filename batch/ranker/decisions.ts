import { REMEMBERED_ITEMS } from '../../shared/memory.ts'
import { randomStream } from '../../shared/random.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { Dataset } from '../dataset.ts'
import { historyOf, visitorStarts } from '../learn/histories.ts'

/** A moment at which the edge would have been asked, and what the visitor took next. */
export type Decision = {
  /** As the visitor's object would have remembered it then. */
  history: HistoryItem[]
  /** '' = unknown. */
  country: string
  /** Distinct items of the rest of the session, without the newest history item. */
  next: Set<number>
  /** Belongs to the fifth of visitors that chooses between configurations and is never trained on. */
  validation: boolean
}

/** One heavy visitor must not stand for everyone. */
const MOST_PER_VISITOR = 12
const MOST_NEXT = 10

/**
 * Samples decisions within sessions from `from` (Unix seconds) on: before every step of a session that follows some
 * history. The sample depends on the seed only.
 */
export function sampleDecisions(dataset: Dataset, from: number, most: number, seed: number): Decision[] {
  const { deeds, visitors, countries } = dataset
  const starts = visitorStarts(dataset)
  const random = randomStream(seed)
  const moments: { visitor: number; step: number; draw: number }[] = []
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    const own: typeof moments = []
    for (let step = starts[visitor] + 1; step < starts[visitor + 1]; step++) {
      if (deeds.at[step] >= from) own.push({ visitor, step, draw: random() })
    }
    own.sort((a, b) => a.draw - b.draw || a.step - b.step)
    moments.push(...own.slice(0, MOST_PER_VISITOR))
  }
  moments.sort((a, b) => a.draw - b.draw || a.step - b.step)
  const decisions: Decision[] = []
  for (const { visitor, step } of moments) {
    if (decisions.length === most) break
    const history = historyOf(deeds, starts[visitor], step, REMEMBERED_ITEMS)
    const next = new Set<number>()
    for (let k = step; k < starts[visitor + 1] && deeds.session[k] === deeds.session[step] && next.size < MOST_NEXT; k++) {
      if (deeds.item[k] !== history[0].item) next.add(deeds.item[k])
    }
    if (next.size === 0) continue
    decisions.push({ history, country: countries[deeds.country[step]], next, validation: itemHash(visitors[visitor], seed) % 5 === 0 })
  }
  return decisions
}

/** The moment that parts what lists are built on from what the ranker learns from: the last `share` of deeds lie after it. */
export function partingTime({ deeds }: Dataset, share: number): number {
  const times = Float64Array.from(deeds.at.subarray(0, deeds.count)).sort()
  return times[Math.floor(times.length * (1 - share))] ?? 0
}

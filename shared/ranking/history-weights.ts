import type { RecallParameters } from '../release/manifest.ts'
import type { HistoryItem } from './release-view.ts'

/** A session ends with a pause of this length. */
export const SESSION_PAUSE_SECONDS = 30 * 60

/** How many of the newest items belong to the session going on: up to the first pause, counted from now. */
export function sessionLength(history: readonly HistoryItem[]): number {
  let length = 0
  let age = 0
  while (length < history.length && history[length].age - age <= SESSION_PAUSE_SECONDS) age = history[length++].age
  return length
}

/** The part of recall that says how a history fades. */
export type HistoryDecay = Pick<RecallParameters, 'historyItems' | 'historyDecay' | 'pastDecay' | 'pastWeight'>

/**
 * How much each of the newest `recall.historyItems` items counts: within the session going on less with every step back,
 * in earlier ones likewise, and those together less than this session. A plain list: so few numbers are cheaper on V8's own heap
 * than in a buffer beside it.
 */
export function historyWeights(history: readonly HistoryItem[], recall: HistoryDecay, inSession = sessionLength(history)): number[] {
  const { historyItems, historyDecay, pastDecay, pastWeight } = recall
  const past = inSession > 0 ? pastWeight : 1
  const weights: number[] = []
  for (let position = 0; position < Math.min(history.length, historyItems); position++)
    weights.push(position < inSession ? Math.exp(-position / historyDecay) : past * Math.exp(-(position - inSession) / pastDecay))
  return weights
}

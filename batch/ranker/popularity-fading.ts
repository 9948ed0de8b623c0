import { topItems } from '../../shared/ranking/top.ts'
import { recency, type Window } from '../learn/interactions.ts'

/** How many moments the question is asked at: one weekday, or one week with a première, decides nothing. */
const MOMENTS = 12
/** The first moment has this share of the window behind it. */
const BEHIND = 0.4
const SLATE = 20

/**
 * How well the most popular items foretell what is taken, when popularity halves every `halfLifeDays`: the mean over
 * moments of the window of the share that the top 20 have of all deeds in the time after it, plus the same with each
 * place discounted as in DCG (Järvelin & Kekäläinen 2002). As much time counts as lies between the window's end and the
 * data's; nothing from `until` on is looked at.
 */
export function popularityQuality(window: Window, halfLifeDays: number): number {
  const horizon = window.dataset.to + 1 - window.until
  const moments = momentsOf(window, horizon)
  return moments.reduce((sum, moment) => sum + qualityAt(window, moment, halfLifeDays, horizon), 0) / moments.length
}

function momentsOf({ dataset: { from }, until }: Window, horizon: number): number[] {
  const first = from + BEHIND * (until - from)
  const last = Math.max(first, until - horizon)
  return Array.from({ length: MOMENTS }, (_, i) => first + ((last - first) * i) / (MOMENTS - 1))
}

function qualityAt({ dataset: { deeds, items }, until }: Window, moment: number, halfLifeDays: number, horizon: number): number {
  const popularity = new Float32Array(items.length)
  const taken = new Uint32Array(items.length)
  const end = Math.min(until, moment + horizon)
  let total = 0
  for (let k = 0; k < deeds.count; k++) {
    const at = deeds.at[k]
    if (at < moment) popularity[deeds.item[k]] += recency(moment, at, halfLifeDays)
    else if (at < end) {
      taken[deeds.item[k]]++
      total++
    }
  }
  const all = Uint32Array.from(items.keys())
  const top = topItems(all, all.length, popularity, SLATE)
  const gained = top.reduce((sum, item, place) => sum + taken[item] * (1 + 1 / Math.log2(place + 2)), 0)
  return total > 0 ? gained / total : 0
}

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
  const { fresh, taken } = countsOf(window, moments, halfLifeDays, horizon)
  const all = Uint32Array.from(window.dataset.items.keys())
  const popularity = new Float64Array(all.length)
  let sum = 0
  moments.forEach((moment, m) => {
    const fading = m === 0 ? 0 : recency(moment, moments[m - 1], halfLifeDays)
    for (const item of all) popularity[item] = fading * popularity[item] + fresh[m][item]
    const total = taken[m].reduce((all, count) => all + count, 0)
    const top = topItems(all, all.length, popularity, SLATE)
    const gained = top.reduce((own, item, place) => own + taken[m][item] * (1 + 1 / Math.log2(place + 2)), 0)
    sum += total > 0 ? gained / total : 0
  })
  return sum / moments.length
}

/**
 * By moment and item, all in one pass over the deeds: what has come since the moment before, faded, and how often it is
 * taken in the time after.
 */
function countsOf(
  { dataset: { deeds, items }, until }: Window,
  moments: readonly number[],
  halfLifeDays: number,
  horizon: number,
): { fresh: Float64Array[]; taken: Uint32Array[] } {
  const fresh = moments.map(() => new Float64Array(items.length))
  const taken = moments.map(() => new Uint32Array(items.length))
  const ends = moments.map((moment) => Math.min(until, moment + horizon))
  for (let k = 0; k < deeds.count; k++) {
    const at = deeds.at[k]
    const item = deeds.item[k]
    let m = 0
    for (; m < moments.length && moments[m] <= at; m++) if (at < ends[m]) taken[m][item]++
    if (m < moments.length) fresh[m][item] += recency(moments[m], at, halfLifeDays)
  }
  return { fresh, taken }
}

function momentsOf({ dataset: { from }, until }: Window, horizon: number): number[] {
  const first = from + BEHIND * (until - from)
  const last = Math.max(first, until - horizon)
  return Array.from({ length: MOMENTS }, (_, i) => first + ((last - first) * i) / (MOMENTS - 1))
}

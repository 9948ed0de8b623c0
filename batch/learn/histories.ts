import type { Deed, HistoryItem } from '../../shared/ranking/release-view.ts'
import type { Dataset, Deeds } from '../dataset.ts'

/** Position of every visitor's first deed; one more entry closes the last visitor. */
export function visitorStarts(dataset: Dataset): Uint32Array {
  const starts = new Uint32Array(dataset.visitors.length + 1)
  for (let k = 0; k < dataset.deeds.count; k++) starts[dataset.deeds.visitor[k] + 1]++
  for (let visitor = 0; visitor < dataset.visitors.length; visitor++) starts[visitor + 1] += starts[visitor]
  return starts
}

/**
 * The visitor's last `most` distinct items, newest first, among deeds `from` (inclusive) to `to` (exclusive): exactly
 * what a visitor's object at the edge would remember. An item's deed is the most committed one.
 * @param now Unix seconds, from which ages are counted
 */
export function historyOf(deeds: Deeds, from: number, to: number, most: number, now: number): HistoryItem[] {
  const position = new Map<number, number>()
  const history: HistoryItem[] = []
  for (let k = to - 1; k >= from; k--) {
    const item = deeds.item[k]
    const deed = deeds.deed[k] as Deed
    const at = position.get(item)
    if (at !== undefined) {
      if (deed > history[at].deed) history[at] = { ...history[at], deed }
    } else if (history.length < most) {
      position.set(item, history.length)
      history.push({ item, deed, age: Math.max(0, now - deeds.at[k]) })
    }
  }
  return history
}

/**
 * The same as `historyOf` for one visitor after the other: what it answers with is good until it is asked again, so that
 * millions of visitors leave nothing behind.
 * @param items how many there are
 */
export function historyReader(deeds: Deeds, items: number, most: number): (from: number, to: number, now: number) => HistoryItem[] {
  /** By item, which question it came up in last, and where in the history it stood then. */
  const asked = new Uint32Array(items)
  const position = new Uint32Array(items)
  const pool: HistoryItem[] = []
  const history: HistoryItem[] = []
  let question = 0
  return (from, to, now) => {
    question++
    history.length = 0
    for (let k = to - 1; k >= from; k--) {
      const item = deeds.item[k]
      const deed = deeds.deed[k] as Deed
      if (asked[item] === question) {
        const own = history[position[item]]
        if (deed > own.deed) own.deed = deed
      } else if (history.length < most) {
        asked[item] = question
        position[item] = history.length
        const own = pool[history.length] ?? { item, deed, age: 0 }
        pool[history.length] = own
        own.item = item
        own.deed = deed
        own.age = Math.max(0, now - deeds.at[k])
        history.push(own)
      }
    }
    return history
  }
}

/** End of the visitor's deeds before `until`. */
export function endBefore(deeds: Deeds, from: number, to: number, until: number): number {
  let end = to
  while (end > from && deeds.at[end - 1] >= until) end--
  return end
}

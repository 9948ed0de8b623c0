import { topItems } from '../../../shared/ranking/top.ts'
import type { Dataset } from '../../dataset.ts'
import { coordinateSearch } from '../search.ts'
import type { Omitted, Query, System, Trial, Validation } from '../trial.ts'
import { withinSessions } from '../validation.ts'
import { ScoreSpace } from './score-space.ts'

type Setting = {
  /** How many of the most recent sessions with an item in common are looked at. */
  sessions: number
  /** How many of those, the most alike, vote. */
  neighbours: number
  /** How many of the newest items are matched. */
  items: number
  /** Exponent of the voted items' idf. */
  idf: number
}

const GRID = {
  sessions: [50, 100, 250, 500, 1000, 2500, 5000],
  neighbours: [25, 50, 100, 250, 500, 1500],
  items: [1, 2, 3, 5, 9, 50],
  idf: [0, 0.5, 1, 2, 4],
}

/**
 * VMIS-kNN (Kersbergen, Sprangers & Schelter 2022, "Serenade"): the `sessions` most recent sessions that share an item with
 * the one going on, alike by the sum of the shared items' weights, which fall linearly with every step back; the
 * `neighbours` most alike vote for their items with likeness × weight of their newest match (1 − 0.1 × its step back) × idf.
 * Between sessions the whole history is what is matched.
 */
export async function vmisKnn(
  { train, time }: Pick<Trial, 'train' | 'time'>,
  validation: () => Validation,
  trials: number,
): Promise<System | Omitted> {
  if (time === 'none') return { name: 'vmis-knn', omitted: 'there are no sessions' }
  const { trial, quality } = withinSessions(validation())
  const inner = sessionIndex(trial.train)
  const start: Setting = { sessions: 500, neighbours: 100, items: 9, idf: 1 }
  const best = await coordinateSearch(start, GRID, trials, (setting) => quality(vmis(inner, setting)))
  return vmis(sessionIndex(train), best)
}

export type SessionIndex = {
  /** Distinct items of each session, the most recent session first: items[start[s] … start[s + 1]). */
  start: Uint32Array
  items: Uint32Array
  /** Sessions that have the item, in ascending number, so the most recent first: sessions[itemStart[i] … itemStart[i + 1]). */
  itemStart: Uint32Array
  sessions: Uint32Array
}

/** Sessions numbered by the time of their last deed, newest = 0. */
export function sessionIndex({ deeds, items }: Dataset): SessionIndex {
  const ends: number[] = []
  for (let k = 0; k < deeds.count; k++) if (k + 1 === deeds.count || deeds.session[k + 1] !== deeds.session[k]) ends.push(k)
  const begins = ends.map((_, s) => (s === 0 ? 0 : ends[s - 1] + 1))
  const order = Array.from(ends.keys()).sort((a, b) => deeds.at[ends[b]] - deeds.at[ends[a]] || b - a)
  const start = new Uint32Array(order.length + 1)
  const distinct = new Uint32Array(deeds.count)
  const itemStart = new Uint32Array(items.length + 1)
  let length = 0
  order.forEach((session, number) => {
    for (const item of new Set(deeds.item.subarray(begins[session], ends[session] + 1))) {
      distinct[length++] = item
      itemStart[item + 1]++
    }
    start[number + 1] = length
  })
  for (let item = 0; item < items.length; item++) itemStart[item + 1] += itemStart[item]
  const next = itemStart.slice()
  const sessions = new Uint32Array(length)
  for (let number = 0; number < order.length; number++) {
    for (let k = start[number]; k < start[number + 1]; k++) sessions[next[distinct[k]]++] = number
  }
  return { start, items: distinct.slice(0, length), itemStart, sessions }
}

export function vmis(index: SessionIndex, setting: Setting): System {
  const count = index.start.length - 1
  const space = new ScoreSpace(index.itemStart.length - 1)
  const likeness = new Float32Array(count)
  const newestMatch = new Uint8Array(count)
  return {
    name: 'vmis-knn',
    setting,
    rank(query, k) {
      const current = currentItems(query, setting.items)
      const found: number[] = []
      for (const [position, item] of current.entries()) {
        // No more than so many sessions of one item can be among the most recent of all.
        const end = Math.min(index.itemStart[item + 1], index.itemStart[item] + setting.sessions)
        for (let at = index.itemStart[item]; at < end; at++) {
          const session = index.sessions[at]
          if (likeness[session] === 0) {
            found.push(session)
            newestMatch[session] = position
          }
          likeness[session] += (current.length - position) / current.length
        }
      }
      const recent = Uint32Array.from(found).sort().subarray(0, setting.sessions)
      for (const session of topItems(recent, recent.length, likeness, setting.neighbours)) {
        const vote = likeness[session] * Math.max(0, 1 - 0.1 * (newestMatch[session] + 1))
        if (vote === 0) continue
        for (let at = index.start[session]; at < index.start[session + 1]; at++) {
          const item = index.items[at]
          const holders = index.itemStart[item + 1] - index.itemStart[item]
          space.add(item, vote * Math.log(count / holders) ** setting.idf)
        }
      }
      for (const session of found) likeness[session] = 0
      return space.take(k)
    },
  }
}

function currentItems({ history, inSession }: Query, most: number): number[] {
  return history.slice(0, Math.min(most, inSession > 0 ? inSession : history.length)).map(({ item }) => item)
}

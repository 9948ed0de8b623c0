import { randomStream } from '../../shared/random.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import { topPlaces } from '../../shared/ranking/top.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { historyOf, visitorStarts } from '../learn/histories.ts'
import { clickedPositions } from './position-bias.ts'

/** A moment at which the edge would have been asked, and what the visitor took next. */
export type Decision = {
  /** Within a session, or at the opening of one: for anything, or for what is new to the visitor. */
  kind: 'step' | 'opening' | 'discovery'
  /** As the visitor's object would have remembered it then. */
  history: HistoryItem[]
  /** Unix seconds. */
  at: number
  /** '' = unknown. */
  country: string
  /** What followed: within a session the very next item, at the opening of one all until the end of the window, in the order taken. */
  next: Set<number>
  /** What was not to be shown: for an opening that asks for new things, everything the visitor had taken. */
  barred: ReadonlySet<number>
  /** Belongs to the fifth of visitors that chooses between configurations and is never trained on. */
  validation: boolean
  /** Index into the data set's visitors. */
  visitor: number
  /** Which half of the visitors they belong to: what is fitted on one may be judged on the other. */
  half: 0 | 1
  /** Where the recommendation stood that the next deed was a click on, from 1 on; 0 where it was none. */
  position: number
}

/** One heavy visitor must not stand for everyone. */
const MOST_PER_VISITOR = 12
/** Where there are more openings than this, steps must not drown them. */
const SOME_OPENINGS = 500
const STEPS_PER_OPENING = 4
const NOTHING: ReadonlySet<number> = new Set()

/**
 * Samples decisions from `from` (Unix seconds) on: before every step of a session that follows another, and at the
 * opening of every session of a visitor with a past, there once for anything and once for what is new to them. Where
 * times say nothing, `from` only parts each visitor's deeds at random: one part is asked for from the whole other, as it
 * will be when all of them are the past. The sample depends on the seed only.
 */
export function sampleDecisions(
  dataset: Dataset,
  from: number,
  { decisions: most, remembered, seed, timed }: Pick<Config, 'decisions' | 'remembered' | 'seed' | 'timed'>,
): Decision[] {
  const { deeds, visitors } = dataset
  const starts = visitorStarts(dataset)
  const positions = clickedPositions(dataset)
  const random = randomStream(seed)
  const asksOpenly = (step: number): boolean => !timed || opens(dataset, step)
  const openings = new Moments()
  const steps = new Moments()
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    const own: { step: number; draw: number; opening: boolean }[] = []
    for (let step = starts[visitor] + 1; step < starts[visitor + 1]; step++) {
      if (deeds.at[step] < from) continue
      own.push({ step, draw: random(), opening: asksOpenly(step) })
      if (!timed) break
    }
    // Openings are few and each asks for much: they come first.
    const rank = ({ draw, opening }: (typeof own)[number]): number => (opening ? draw - 1 : draw)
    if (own.length > MOST_PER_VISITOR) own.sort((a, b) => rank(a) - rank(b) || a.step - b.step)
    for (const { step, draw, opening } of own.slice(0, MOST_PER_VISITOR)) (opening ? openings : steps).push(visitor, step, draw)
  }
  const chosen = openings.first(timed ? Math.floor(most / 2) : most)
  const mostSteps = chosen.length > SOME_OPENINGS ? STEPS_PER_OPENING * chosen.length : most
  return [...chosen, ...steps.first(Math.min(mostSteps, most - chosen.length))]
    .sort((a, b) => a.draw - b.draw || a.step - b.step)
    .flatMap(({ visitor, step }) => {
      const own = standing(visitors[visitor], seed)
      const end = starts[visitor + 1]
      const made = asksOpenly(step)
        ? opening(dataset, starts[visitor], step, end, remembered)
        : inSession(dataset, starts[visitor], step, remembered)
      return made
        .filter(({ next }) => next.size > 0)
        .map((decision) => {
          const position = decision.next.has(deeds.item[step]) ? positions[step] : 0
          return { ...decision, ...own, visitor, position }
        })
    })
}

/** Columns of moments at which somebody could have been asked: of a large history there are millions, of which thousands are kept. */
class Moments {
  private length = 0
  private visitor = new Uint32Array(1024)
  private step = new Uint32Array(1024)
  private draw = new Float64Array(1024)

  push(visitor: number, step: number, draw: number): void {
    if (this.length === this.step.length) {
      this.visitor = doubled(this.visitor)
      this.step = doubled(this.step)
      this.draw = doubled(this.draw)
    }
    this.visitor[this.length] = visitor
    this.step[this.length] = step
    // What is drawn lowest comes first; `topPlaces` looks for the largest.
    this.draw[this.length++] = -draw
  }

  /** The `most` that were drawn lowest, in that order. */
  first(most: number): { visitor: number; step: number; draw: number }[] {
    const all = Uint32Array.from({ length: this.length }, (_, place) => place)
    const places = topPlaces(all, all.length, { values: this.draw, ids: this.step, most })
    return Array.from(places, (place) => ({ visitor: this.visitor[place], step: this.step[place], draw: -this.draw[place] }))
  }
}

function doubled<T extends Uint32Array | Float64Array>(column: T): T {
  const larger = new (column.constructor as new (length: number) => T)(2 * column.length)
  larger.set(column)
  return larger
}

const opens = ({ deeds }: Dataset, step: number): boolean => deeds.session[step] !== deeds.session[step - 1]

type Asked = Omit<Decision, 'validation' | 'visitor' | 'half' | 'position'>

function inSession({ deeds, countries }: Dataset, start: number, step: number, remembered: number): Asked[] {
  // The edge is asked right after the deed before; when the next one comes nobody knows yet.
  const history = historyOf(deeds, start, step, remembered, deeds.at[step - 1])
  return [
    {
      kind: 'step',
      at: deeds.at[step - 1],
      history,
      country: countries[deeds.country[step]],
      next: new Set([deeds.item[step]]),
      barred: NOTHING,
    },
  ]
}

function opening({ deeds, countries }: Dataset, start: number, step: number, end: number, remembered: number): Asked[] {
  const history = historyOf(deeds, start, step, remembered, deeds.at[step])
  const next = new Set(deeds.item.subarray(step, end))
  const owned = new Set(deeds.item.subarray(start, step))
  const asked = { at: deeds.at[step], history, country: countries[deeds.country[step]] }
  return [
    { kind: 'opening', ...asked, next, barred: NOTHING },
    { kind: 'discovery', ...asked, next: new Set([...next].filter((item) => !owned.has(item))), barred: owned },
  ]
}

/**
 * Samples decisions as of some nights (Unix seconds, ascending): of everyone with a past who comes back, asked that night
 * for what they will take first, and for what they will take first that is new to them. How long until then nobody knows.
 */
export function decisionsAt(
  dataset: Dataset,
  nights: readonly number[],
  { decisions: most, remembered, seed }: Pick<Config, 'decisions' | 'remembered' | 'seed'>,
): Decision[] {
  const { deeds, visitors, countries } = dataset
  const starts = visitorStarts(dataset)
  const random = randomStream(seed)
  const moments = nights.map((at) => ({ at, moments: new Moments() }))
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    let step = starts[visitor]
    for (const { at, moments: own } of moments) {
      while (step < starts[visitor + 1] && deeds.at[step] < at) step++
      if (step > starts[visitor] && step < starts[visitor + 1]) own.push(visitor, step, random())
    }
  }
  const chosen = moments.flatMap(({ at, moments: own }) => own.first(Math.floor(most / nights.length)).map((moment) => ({ ...moment, at })))
  return chosen
    .sort((a, b) => a.draw - b.draw || a.step - b.step)
    .flatMap(({ visitor, step, at }) => {
      const start = starts[visitor]
      const owned = new Set(deeds.item.subarray(start, step))
      const later = deeds.item.subarray(step, starts[visitor + 1])
      const asked = {
        at,
        history: historyOf(deeds, start, step, remembered, at),
        country: countries[deeds.country[step - 1]],
        ...standing(visitors[visitor], seed),
        visitor,
        position: 0,
      }
      const fresh = later.find((item) => !owned.has(item))
      const opening: Decision = { ...asked, kind: 'opening', next: new Set(later.subarray(0, 1)), barred: NOTHING }
      return fresh === undefined ? [opening] : [opening, { ...asked, kind: 'discovery', next: new Set([fresh]), barred: owned }]
    })
}

/** Who only chooses, and which half they belong to. */
function standing(visitor: string, seed: number): Pick<Decision, 'validation' | 'half'> {
  const hash = itemHash(visitor, seed)
  return { validation: hash % 5 === 0, half: Math.floor(hash / 5) % 2 === 0 ? 0 : 1 }
}

/** Below this share of what visitors take at a session's opening, nothing is taken again to speak of. */
const TAKEN_AGAIN = 0.02

/** Whether visitors come back for what they had: a shop's do, a film is seen once. */
export function takenAgain(decisions: readonly Decision[]): boolean {
  let again = 0
  let taken = 0
  for (const { kind, history, next } of decisions) {
    if (kind !== 'opening') continue
    taken += next.size
    for (const { item } of history) if (next.has(item)) again++
  }
  return taken === 0 || again > TAKEN_AGAIN * taken
}

/** The moment that parts what lists are built on from what the ranker learns from: the last `share` of deeds lie after it. */
export function partingTime({ deeds }: Dataset, share: number): number {
  const wanted = Math.floor(deeds.count * (1 - share))
  const times = deeds.at.subarray(0, deeds.count)
  if (wanted >= times.length) return 0
  // Sorted, the time would stand at that place; counting by its upper half and then by its lower finds it in two passes.
  const upper = placeIn(times, wanted, (at) => at >>> 16)
  const lower = placeIn(times, upper.rest, (at) => (at >>> 16 === upper.value ? at & 0xffff : -1))
  return upper.value * 0x1_0000 + lower.value
}

/** The value of 16 bits that stands at a place of the sorted ones (-1 is none), and how many of the same stand before it. */
function placeIn(times: Uint32Array, place: number, partOf: (at: number) => number): { value: number; rest: number } {
  const counts = new Uint32Array(0x1_0000)
  for (const at of times) {
    const value = partOf(at)
    if (value >= 0) counts[value]++
  }
  let rest = place
  let value = 0
  while (rest >= counts[value]) rest -= counts[value++]
  return { value, rest }
}

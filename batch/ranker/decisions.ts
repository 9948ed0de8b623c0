import { randomStream } from '../../shared/random.ts'
import type { HistoryItem } from '../../shared/ranking/release-view.ts'
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
 * opening of every session of a visitor with a past, there once for anything and once for what is new to them. The
 * sample depends on the seed only.
 */
export function sampleDecisions(
  dataset: Dataset,
  from: number,
  { decisions: most, remembered, seed }: Pick<Config, 'decisions' | 'remembered' | 'seed'>,
): Decision[] {
  const { deeds, visitors } = dataset
  const starts = visitorStarts(dataset)
  const positions = clickedPositions(dataset)
  const random = randomStream(seed)
  const moments: { visitor: number; step: number; draw: number }[] = []
  for (let visitor = 0; visitor < visitors.length; visitor++) {
    const own: typeof moments = []
    for (let step = starts[visitor] + 1; step < starts[visitor + 1]; step++) {
      if (deeds.at[step] >= from) own.push({ visitor, step, draw: random() })
    }
    // Openings are few and each asks for much: they come first.
    const rank = ({ step, draw }: { step: number; draw: number }): number => (opens(dataset, step) ? draw - 1 : draw)
    own.sort((a, b) => rank(a) - rank(b) || a.step - b.step)
    moments.push(...own.slice(0, MOST_PER_VISITOR))
  }
  moments.sort((a, b) => a.draw - b.draw || a.step - b.step)
  const openMoments = moments.filter(({ step }) => opens(dataset, step)).slice(0, most / 2)
  const steps = moments.filter(({ step }) => !opens(dataset, step))
  const mostSteps = openMoments.length > SOME_OPENINGS ? STEPS_PER_OPENING * openMoments.length : most
  return [...openMoments, ...steps.slice(0, Math.min(mostSteps, most - openMoments.length))]
    .sort((a, b) => a.draw - b.draw || a.step - b.step)
    .flatMap(({ visitor, step }) => {
      const hash = itemHash(visitors[visitor], seed)
      const validation = hash % 5 === 0
      const half = Math.floor(hash / 5) % 2 === 0 ? 0 : 1
      const end = starts[visitor + 1]
      const made = opens(dataset, step)
        ? openings(dataset, starts[visitor], step, end, remembered)
        : inSession(dataset, starts[visitor], step, remembered)
      return made
        .filter(({ next }) => next.size > 0)
        .map((decision) => {
          const position = decision.next.has(deeds.item[step]) ? positions[step] : 0
          return { ...decision, validation, visitor, half, position }
        })
    })
}

const opens = ({ deeds }: Dataset, step: number): boolean => deeds.session[step] !== deeds.session[step - 1]

type Asked = Omit<Decision, 'validation' | 'visitor' | 'half' | 'position'>

function inSession({ deeds, countries }: Dataset, start: number, step: number, remembered: number): Asked[] {
  // The edge is asked right after the deed before; when the next one comes nobody knows yet.
  const history = historyOf(deeds, start, step, remembered, deeds.at[step - 1])
  return [{ kind: 'step', history, country: countries[deeds.country[step]], next: new Set([deeds.item[step]]), barred: NOTHING }]
}

function openings({ deeds, countries }: Dataset, start: number, step: number, end: number, remembered: number): Asked[] {
  const history = historyOf(deeds, start, step, remembered, deeds.at[step])
  const next = new Set(deeds.item.subarray(step, end))
  const owned = new Set(deeds.item.subarray(start, step))
  const asked = { history, country: countries[deeds.country[step]] }
  return [
    { kind: 'opening', ...asked, next, barred: NOTHING },
    { kind: 'discovery', ...asked, next: new Set([...next].filter((item) => !owned.has(item))), barred: owned },
  ]
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
  const times = Float64Array.from(deeds.at.subarray(0, deeds.count)).sort()
  return times[Math.floor(times.length * (1 - share))] ?? 0
}

import { REMEMBERED_ITEMS } from '../../../shared/memory.ts'
import { randomStream } from '../../../shared/random.ts'
import { type Deed, VIEWED } from '../../../shared/ranking/release-view.ts'
import type { Dataset, Deeds } from '../../dataset.ts'
import { endBefore, historyOf, visitorStarts } from '../../learn/histories.ts'
import { MEMBER_ITEMS } from '../../night/members.ts'
import { nextQueries, type Remembering, stepsOf } from '../queries.ts'
import type { Query } from '../trial.ts'
import { type Click, serenadeQueries } from '../trials/sessions.ts'

/** Something a visitor does, and the question that is put right after it. */
export type PlannedDeed = {
  /** Position in the plan's visitors. */
  visitor: number
  item: string
  deed: Deed
  /** Unix seconds. */
  at: number
  /** '' = unknown. */
  country: string
  /** Position in the plan's queries; null where nothing is asked. */
  query: number | null
}

/** `id`: the site's own, under which training may know them; null for one whom the edge names. */
export type PlannedVisitor = { id: string | null; imported: boolean }

/** A test part as the edge will live through it: deeds in time order, and the same questions that the harness asks. */
export type Plan = { task: string; visitors: PlannedVisitor[]; deeds: PlannedDeed[]; queries: Query[] }

const DAY = 86_400

export type SampleOptions = {
  /** How many items the edge is asked to rank from. */
  remembered: number
  /** About so many questions, in whole sessions drawn at random; every deed of their visitors is replayed all the same. */
  limit: number
  seed: number
}

/** Sessions of visitors nobody knows: each its own visitor. */
export function planSessions(every: readonly (readonly Click[])[], train: Dataset, { remembered, limit, seed }: SampleOptions): Plan {
  const drawn = sampleSessions(
    every.flatMap((clicks, session) => clicks.slice(1).map(() => session)),
    limit,
    seed,
  )
  const sessions = every.filter((_, session) => drawn.has(session))
  const queries = serenadeQueries(sessions, train, remembered)
  let query = 0
  const deeds = sessions.flatMap((clicks, visitor) =>
    clicks.map(({ item, at }, i): PlannedDeed => {
      const asked = i < clicks.length - 1 ? query++ : null
      return { visitor, item, deed: VIEWED, at, country: '', query: asked }
    }),
  )
  return { task: 'next', visitors: sessions.map(() => ({ id: null, imported: false })), deeds: inTime(deeds), queries }
}

/** Visitors whom training may know, their later sessions step by step. @param all both sides of the split (Unix seconds) */
export function planVisits(all: Dataset, train: Dataset, split: number, { remembered, limit, seed }: SampleOptions): Plan {
  const { deeds } = all
  const steps = stepsOf(all, split)
  const every = nextQueries(all, train, split, edgeMemory(train.to, split, remembered))
  const sessions = sampleSessions(
    steps.map(({ step }) => deeds.session[step]),
    limit,
    seed,
  )
  const asked = steps.flatMap(({ step }, i) => (sessions.has(deeds.session[step]) ? [{ after: step - 1, query: every[i] }] : []))
  const queryAfter = new Map(asked.map(({ after }, i) => [after, i]))
  const known = new Set(train.visitors)
  const starts = visitorStarts(all)
  const visitors: PlannedVisitor[] = []
  const planned: PlannedDeed[] = []
  for (const visitor of new Set(asked.map(({ after }) => deeds.visitor[after]))) {
    const id = all.visitors[visitor]
    visitors.push({ id, imported: known.has(id) })
    for (let k = endBefore(deeds, starts[visitor], starts[visitor + 1], split); k < starts[visitor + 1]; k++) {
      const query = queryAfter.get(k) ?? null
      planned.push({
        visitor: visitors.length - 1,
        item: all.items[deeds.item[k]].id,
        deed: deeds.deed[k] as Deed,
        at: deeds.at[k],
        country: query === null ? all.countries[deeds.country[k]] : asked[query].query.country,
        query,
      })
    }
  }
  return { task: 'basket', visitors, deeds: inTime(planned), queries: asked.map(({ query }) => query) }
}

/** Deeds of the same second stay in the order they have, which is each visitor's own. */
const inTime = (deeds: PlannedDeed[]): PlannedDeed[] => deeds.sort((a, b) => a.at - b.at)

/** Whole sessions, drawn until they hold `limit` questions. @param sessions the session of every question */
function sampleSessions(sessions: readonly number[], limit: number, seed: number): Set<number> {
  const sizes = new Map<number, number>()
  for (const session of sessions) sizes.set(session, (sizes.get(session) ?? 0) + 1)
  const random = randomStream(seed)
  const drawn = [...sizes].map(([session, size]) => ({ session, size, draw: random() })).sort((a, b) => a.draw - b.draw)
  const taken = new Set<number>()
  let count = 0
  for (const { session, size } of drawn) {
    if (count >= limit) break
    taken.add(session)
    count += size
  }
  return taken
}

/**
 * What the edge knows of a visitor whose past it was told by a members pack: of that past the last few items, to the
 * day; of what it saw itself, everything.
 * @param packed Unix seconds at which the pack was made @param met Unix seconds from which on the edge sees for itself
 */
export const edgeMemory =
  (packed: number, met: number, remembered: number): Remembering =>
  (deeds: Deeds, from: number, to: number, now: number) => {
    const end = endBefore(deeds, from, to, met)
    const imported = historyOf(deeds, from, end, MEMBER_ITEMS, packed)
    const before = new Map(imported.map((past) => [past.item, past]))
    const seen = historyOf(deeds, end, to, REMEMBERED_ITEMS, now)
    const seenItems = new Set(seen.map(({ item }) => item))
    return [
      ...seen.map((own) => ({ ...own, deed: Math.max(own.deed, before.get(own.item)?.deed ?? VIEWED) as Deed })),
      ...imported
        .filter(({ item }) => !seenItems.has(item))
        .map((past) => ({ ...past, age: Math.max(0, now - packed + DAY * Math.floor(past.age / DAY)) })),
    ].slice(0, remembered)
  }

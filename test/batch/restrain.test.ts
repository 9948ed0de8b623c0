import { beforeAll, expect, it } from 'vitest'
import { readConfig } from '../../batch/config.ts'
import { learn } from '../../batch/learn/learn.ts'
import { slates } from '../../batch/ranker/choose.ts'
import { type Decision, sampleDecisions } from '../../batch/ranker/decisions.ts'
import { holdsBoth, restrain, restrained } from '../../batch/ranker/restrain.ts'
import { noWeights } from '../../batch/ranker/train.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { trialView } from '../../batch/release/assemble.ts'
import { randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT, features } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const ITEMS = 60
const random = randomStream(4)
/** Four tastes of fifteen items each; within a taste, low numbers are wanted more. */
const rows = Array.from({ length: 200 }, (_, visitor) => visitor).flatMap((visitor) =>
  Array.from(
    { length: 12 },
    (_, step): DeedRow => ({
      visitor,
      item: 15 * (visitor % 4) + Math.floor(15 * random() ** 2),
      at: 1_000_000 + 10_000 * step + visitor,
      session: 12 * visitor + step,
    }),
  ),
)
const dataset = datasetOf(200, ITEMS, rows)
const config = { ...readConfig(undefined), minVisitors: 1 }

let view: ReleaseView
let decisions: Decision[]
beforeAll(async () => {
  const recall = { ...USUAL_RECALL, selfWeight: 0, listWeight: 50, candidates: 60 }
  // Under this recall what is popular comes first, whatever the visitor's taste.
  view = await trialView(dataset, await learn({ dataset, until: 1_090_000 }, config, recall, () => Promise.resolve()), recall)
  decisions = sampleDecisions(dataset, 1_090_000, { decisions: 1000, remembered: 50, seed: 1, timed: true })
})

const byFeature = (name: string, weight: number): Weights => {
  const weights = noWeights(FEATURE_COUNT)
  weights.skip[features.findIndex((feature) => feature.name === name)] = weight
  return weights
}

it('comes to the merged order when it holds a ranker back without end', () => {
  const contrary = byFeature('popularity', -3)
  const merged = slates(view, decisions, null)
  expect(slates(view, decisions, contrary)).not.toEqual(merged)
  expect(slates(view, decisions, restrained(contrary, 1e6))).toEqual(merged)
  expect(restrained(contrary, 0)).toEqual(contrary)
})

it('follows a ranker that gains as it is, and one that only harms not at all', () => {
  const good = restrain(view, decisions, byFeature('similar', 30))
  expect(good.by).toBe(0)
  expect(good.weights).toEqual(byFeature('similar', 30))
  expect(good.ranked).toEqual(slates(view, decisions, good.weights))
  expect(good.merged).toEqual(slates(view, decisions, null))
  expect(restrain(view, decisions, byFeature('rank', 5)).weights).toBeNull()
})

it('lets neither recall pay for NDCG nor NDCG for recall, in all or in a kind', () => {
  const asked = (kind: Decision['kind'], count: number): Decision[] =>
    Array.from({ length: count }, (): Decision => ({ ...decisions[0], kind, next: new Set([1, 2]) }))
  const slate = (...places: number[]): number[] =>
    Array.from({ length: 20 }, (_, place) => (places.includes(place) ? places.indexOf(place) + 1 : 100 + place))
  const all = asked('discovery', 200)
  const shown = (own: number[]): number[][] => all.map(() => own)
  expect(holdsBoth(all, shown(slate(5, 6)), shown(slate(3, 4)))).toBe(true)
  // One more hit far down for a worse first place, and the other way round.
  expect(holdsBoth(all, shown(slate(0)), shown(slate(15, 16)))).toBe(false)
  expect(holdsBoth(all, shown(slate(15, 16)), shown(slate(0)))).toBe(false)
  const two = [...asked('discovery', 200), ...asked('step', 200)]
  const mixed = (discovery: number[], step: number[]): number[][] => two.map(({ kind }) => (kind === 'step' ? step : discovery))
  expect(holdsBoth(two, mixed(slate(9, 10), slate(9, 10)), mixed(slate(0, 1), slate(11, 12)))).toBe(false)
  expect(holdsBoth(two, mixed(slate(9, 10), slate(9, 10)), mixed(slate(0, 1), slate(9, 10)))).toBe(true)
  // Of a hundred of a kind, a few that lose and others that gain are chance.
  const few = [...asked('discovery', 200), ...asked('step', 100)]
  const best = slate(0, 1)
  const before = few.map(({ kind }, i) => (kind === 'step' && i % 2 === 0 ? best : slate(9, 10)))
  const after = (losers: number): number[][] =>
    before.map((shown, i) => (few[i].kind === 'discovery' ? best : i >= 300 - losers ? slate(18, 19) : i % 10 === 1 ? slate(5, 6) : shown))
  expect(holdsBoth(few, before, after(4))).toBe(true)
  expect(holdsBoth(few, before, after(30))).toBe(false)
})

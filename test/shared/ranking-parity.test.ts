import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import { viewOfPacks } from '../../batch/release/view-of-packs.ts'
import { assembleFeatures } from '../../shared/ranking/assemble-features.ts'
import { recall } from '../../shared/ranking/candidates.ts'
import { foldIn, nearestCohort } from '../../shared/ranking/cohort.ts'
import { FEATURE_COUNT, featureContext, features } from '../../shared/ranking/features.ts'
import { ordered } from '../../shared/ranking/rank.ts'
import { RecallSpace } from '../../shared/ranking/recall-space.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { capCategories } from '../../shared/ranking/slate.ts'

/*
 * What the request path computes in one pass, without a call or an object for a candidate, beside the same said plainly.
 */

const ITEMS = 1500
let views: ReleaseView[] = []

beforeAll(async () => {
  views = await Promise.all(
    [1, 2, 3].map(async (edition) => {
      const { manifest, packs } = await madeUpRelease(ITEMS, edition)
      return viewOfPacks(`made-up-${edition}`, manifest, packs)
    }),
  )
})

const live = fc.array(fc.record({ item: fc.nat(ITEMS - 1), score: fc.constantFrom(0.1, 0.5, 1) }), { maxLength: 6 })
const asked = fc.record({
  edition: fc.nat(2),
  history: fc
    .uniqueArray(fc.record({ item: fc.nat(ITEMS - 1), deed: fc.constantFrom(0, 1, 2), age: fc.nat(40 * 86_400) }), {
      selector: ({ item }) => item,
      maxLength: 50,
    })
    .map((history) => history.sort((a, b) => a.age - b.age)),
  regions: fc.constantFrom(['GB', '@EU', '*'], ['FR', '*'], ['*']),
  noCohort: fc.boolean(),
  trending: live,
  fresh: live,
})

describe('assembleFeatures', () => {
  it('gives the numbers that each feature’s definition gives, to the bit', () => {
    fc.assert(
      fc.property(asked, ({ edition, history, regions, noCohort, trending, fresh }) => {
        const view = views[edition]
        const visitor = foldIn(view.core, history, view.manifest.recall)
        const cohort = noCohort || visitor === undefined ? -1 : nearestCohort(view.core, visitor)
        const candidates = recall(view, new RecallSpace(ITEMS), { history, regions, cohort, trending, fresh }, () => true)
        const context = featureContext(view, candidates, history, visitor, cohort)
        const fast = new Float32Array(candidates.count * FEATURE_COUNT)
        assembleFeatures(context, fast)
        const plain = Float32Array.from(fast, (_, at) => {
          const { value, range } = features[at % FEATURE_COUNT]
          return Math.min(range[1], Math.max(range[0], value(context, Math.floor(at / FEATURE_COUNT))))
        })
        expect(fast.findIndex((value, at) => !Object.is(value, plain[at]))).toBe(-1)
        expect(fast.every(Number.isFinite)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})

describe('recall', () => {
  it('is the same in a space that has grown, served others and lends what it gives as in a new one', () => {
    const used = views.map(() => new RecallSpace(ITEMS))
    const lending = views.map(() => new RecallSpace(ITEMS, true))
    fc.assert(
      fc.property(asked, ({ edition, history, regions, trending, fresh }) => {
        const request = { history, regions, cohort: 1, trending, fresh }
        const expected = recall(views[edition], new RecallSpace(ITEMS), request, () => true)
        for (const spaces of [used, lending]) expect(recall(views[edition], spaces[edition], request, () => true)).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})

describe('ordered', () => {
  it('sorts as a comparison of rounded score, then item, does', () => {
    const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float({ noNaN: true, min: -50, max: 50 })), { maxLength: 400 })
    fc.assert(
      fc.property(scores, fc.nat(), (values, turn) => {
        const item = Uint32Array.from(values, (_, i) => (i * 7919 + turn) % 100_003)
        const result = ordered({ count: values.length, item } as Parameters<typeof ordered>[0], Float32Array.from(values))
        const plain = Array.from(values.keys()).sort((a, b) => result.scores[b] - result.scores[a] || item[a] - item[b])
        expect(Array.from(result.order)).toEqual(plain)
      }),
    )
  })
})

describe('capCategories', () => {
  it('is what filling one window after the other from all that wait gives', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(400), { maxLength: 200 }), fc.integer({ min: 1, max: 7 }), (order, kinds) => {
        const categoryOf = (position: number): number => (position * position) % kinds
        expect(capCategories(order, categoryOf)).toEqual(plainCap(order, categoryOf))
      }),
      { numRuns: 300 },
    )
  })
})

function plainCap(order: readonly number[], categoryOf: (position: number) => number): number[] {
  const arranged: number[] = []
  let waiting = [...order]
  while (waiting.length > 0) {
    const size = Math.min(10, waiting.length)
    const taken: number[] = []
    const passed: number[] = []
    for (const position of waiting) {
      const capped = categoryOf(position) !== 0 && taken.filter((other) => categoryOf(other) === categoryOf(position)).length >= 4
      if (taken.length === size || capped) passed.push(position)
      else taken.push(position)
    }
    arranged.push(...taken, ...passed.slice(0, size - taken.length))
    waiting = passed.slice(size - taken.length)
  }
  return arranged
}

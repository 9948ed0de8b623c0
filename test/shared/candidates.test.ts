import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { viewOfPacks } from '../../batch/release/view-of-packs.ts'
import { type RecallRequest, recall } from '../../shared/ranking/candidates.ts'
import { type Candidates, RecallSpace } from '../../shared/ranking/recall-space.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { topItems } from '../../shared/ranking/top.ts'
import { buildTinyRelease, ITEMS } from '../edge/fixtures/tiny-release.ts'

describe('topItems', () => {
  const score = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.float({ noNaN: true }), fc.constantFrom(0, -0, Infinity, 1e-45))

  it('gives what sorting everything would', () => {
    fc.assert(
      fc.property(
        fc.array(score, { maxLength: 200 }),
        fc.nat(220),
        fc.infiniteStream(fc.nat()),
        fc.nat(50),
        (values, limit, keys, after) => {
          const scores = Float32Array.from(values)
          const order = values.map((_, item) => ({ item, key: keys.next().value ?? 0 })).sort((a, b) => a.key - b.key)
          const items = Uint32Array.from(order, ({ item }) => item)
          const count = Math.max(0, items.length - after)
          const expected = Array.from(items.slice(0, count)).sort((a, b) => scores[b] - scores[a] || a - b)
          expect(Array.from(topItems(items, count, scores, limit))).toEqual(expected.slice(0, limit))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('recall', () => {
  let view: ReleaseView
  beforeAll(async () => {
    const { entries, entry } = await buildTinyRelease()
    const packs = new Map<string, Uint8Array<ArrayBuffer>>()
    for (const [key, value] of entries) if (typeof value !== 'string') packs.set(key.slice('pack/'.length), value)
    view = viewOfPacks(entry.release, entry.manifest, packs)
  })

  const live = fc.array(fc.record({ item: fc.nat(ITEMS - 1), score: fc.constantFrom(0, 0.25, 0.5, 1) }), { maxLength: 6 })
  const request: fc.Arbitrary<RecallRequest> = fc.record({
    history: fc
      .uniqueArray(fc.record({ item: fc.nat(ITEMS - 1), deed: fc.constantFrom(0, 1, 2), age: fc.nat(10_000) }), {
        selector: ({ item }) => item,
        maxLength: 12,
      })
      .map((history) => history.sort((a, b) => a.age - b.age)),
    regions: fc.constantFrom(['GB', '@EU', '*'], ['*'], ['FR', '*'], []),
    cohort: fc.integer({ min: -1, max: 4 }),
    trending: live,
    fresh: live,
  })
  const limited = (candidates: number): ReleaseView => ({
    ...view,
    manifest: { ...view.manifest, recall: { ...view.manifest.recall, candidates } },
  })
  const rows = ({ count, ...columns }: Candidates): Record<string, number>[] =>
    Array.from({ length: count }, (_, row) => Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[row]])))

  it('of few candidates is the beginning of recall of all, whatever is allowed and whoever asked before', () => {
    const shared = new RecallSpace(ITEMS)
    fc.assert(
      fc.property(request, fc.nat(ITEMS), fc.uniqueArray(fc.nat(ITEMS - 1)), (asked, candidates, hidden) => {
        const some = rows(recall(limited(candidates), shared, asked, (item) => !hidden.includes(item)))
        const all = rows(recall(limited(ITEMS), new RecallSpace(ITEMS), asked, () => true))
        const sorted = [...all].sort((a, b) => b.merged - a.merged || a.item - b.item)
        expect(all).toEqual(sorted)
        expect(some).toEqual(sorted.filter(({ item }) => !hidden.includes(item)).slice(0, candidates))
      }),
    )
  })

  it('leaves the columns empty after a rule that throws', () => {
    const space = new RecallSpace(ITEMS)
    const asked: RecallRequest = { history: [{ item: 3, deed: 0, age: 5 }], regions: ['*'], cohort: 0, trending: [], fresh: [] }
    const expected = recall(view, space, asked, () => true)
    let calls = 0
    const broken = (): boolean => {
      if (++calls > 5) throw new Error('no rule')
      return calls % 2 === 0
    }
    expect(() => recall(view, space, asked, broken)).toThrow('no rule')
    expect(recall(view, space, asked, () => true)).toEqual(expected)
  })
})

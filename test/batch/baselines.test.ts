import { describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import type { Dataset } from '../../batch/dataset.ts'
import { coordinateSearch } from '../../batch/evaluate/search.ts'
import { baselines } from '../../batch/evaluate/systems/baselines.ts'
import { invertSymmetric } from '../../batch/evaluate/systems/dense-inverse.ts'
import { ease, gramOf } from '../../batch/evaluate/systems/ease.ts'
import { nearest } from '../../batch/evaluate/systems/item-knn.ts'
import { type PerUserSetting, perUser } from '../../batch/evaluate/systems/per-user.ts'
import { perUserRanked } from '../../batch/evaluate/systems/per-user-ranked.ts'
import { popularity } from '../../batch/evaluate/systems/popularity.ts'
import { recentPopularity } from '../../batch/evaluate/systems/recent-popularity.ts'
import { regionPopularity } from '../../batch/evaluate/systems/region-popularity.ts'
import { ScoreSpace } from '../../batch/evaluate/systems/score-space.ts'
import { sessionIndex, vmis } from '../../batch/evaluate/systems/vmis-knn.ts'
import type { Query, System, Trial } from '../../batch/evaluate/trial.ts'
import { before, heldOut, withoutLast } from '../../batch/evaluate/trials/inner-cut.ts'
import { validationOf } from '../../batch/evaluate/validation.ts'
import { randomStream } from '../../shared/random.ts'
import { UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const DAY = 86_400
const START = 1000 * DAY
const TRIALS = 50

/** Items newest first, all of the session going on. */
const asked = (items: number[], more: Partial<Query> = {}): Query => ({
  history: items.map((item) => ({ item, deed: 0, age: 0 })),
  inSession: items.length,
  country: '',
  context: UNKNOWN_CONTEXT,
  relevant: new Set<number>(),
  masked: new Set<number>(),
  cluster: 0,
  ...more,
})

/** Visitors who took these items, each in one session, one visitor a day. */
const takenBy = (...visitors: number[][]): DeedRow[] =>
  visitors.flatMap((items, visitor) => items.map((item, i) => ({ visitor, item, at: START + visitor * DAY + i })))

async function answer(system: System | { omitted: string }, query: Query, k: number): Promise<number[]> {
  if ('omitted' in system) throw new Error(system.omitted)
  return Array.from(await system.rank(query, k))
}

const trialOf = (train: Dataset, queries: Query[]): Trial => ({
  dataset: 'test',
  train,
  time: 'seconds',
  tasks: [{ name: 'next', queries }],
})

describe('a score space', () => {
  it('gives the best, ties by item index, and is empty afterwards', () => {
    const space = new ScoreSpace(6)
    for (const [item, value] of [
      [5, 1],
      [3, 2],
      [1, 1],
      [2, 0.5],
      [3, 1],
    ])
      space.add(item, value)
    expect([...space.take(3)]).toEqual([3, 1, 5])
    space.add(2, 1)
    expect([...space.take(3)]).toEqual([2])
  })
})

describe('the search', () => {
  const grid = { a: [0, 1, 2, 3, 4], b: [0, 1, 2, 3, 4] }

  it('finds the best setting of a smooth measure, and judges none twice', async () => {
    const seen: string[] = []
    const best = await coordinateSearch({ a: 0, b: 4 }, grid, TRIALS, (setting) => {
      seen.push(JSON.stringify(setting))
      return -((setting.a - 3) ** 2) - (setting.b - 1) ** 2
    })
    expect(best).toEqual({ a: 3, b: 1 })
    expect(new Set(seen).size).toBe(seen.length)
  })

  it('judges no more settings than it may, and leaves a hollow where it started', async () => {
    let judged = 0
    const best = await coordinateSearch({ a: 0, b: 0 }, grid, 24, ({ a, b }) => {
      judged++
      return a > 0 && b > 0 ? a + b : a === b ? 1 : 0
    })
    expect(judged).toBeLessThanOrEqual(24)
    expect(best.a + best.b).toBeGreaterThanOrEqual(7)
  })
})

describe('popularity', () => {
  it('orders by how often, ties by item index', async () => {
    const train = datasetOf(3, 4, takenBy([2, 3], [3, 1], [2, 1]))
    expect(await answer(popularity({ train }), asked([]), 4)).toEqual([1, 2, 3, 0])
  })

  it('of late follows what has just become popular', async () => {
    // Every ten days another item is all the rage.
    const train = datasetOf(
      300,
      10,
      Array.from({ length: 300 }, (_, i) => ({ visitor: i, item: Math.floor(i / 30), at: START + Math.floor(i / 3) * DAY })),
    )
    const inner = trialOf(before(train, START + 50 * DAY), [asked([], { relevant: new Set([4]) })])
    const system = await recentPopularity({ train, time: 'seconds' }, () => validationOf(inner), TRIALS)
    expect((await answer(system, asked([]), 10))[0]).toBe(9)
    expect(await answer(system, asked([]), 10)).toHaveLength(10)
    expect(await recentPopularity({ train, time: 'none' }, () => validationOf(inner), TRIALS)).toHaveProperty('omitted')
  })

  it('of a country backs off to everywhere', async () => {
    const rows = Array.from({ length: 40 }, (_, visitor) => visitor).flatMap((visitor): DeedRow[] => {
      const german = visitor < 10
      return [0, 1].map((i) => ({ visitor, item: german ? i : 2 + i, at: START + visitor, country: german ? 1 : 2 }))
    })
    const train = datasetOf(40, 5, rows)
    const inner = trialOf(train, [
      asked([], { country: 'DE', relevant: new Set([0]) }),
      asked([], { country: 'GB', relevant: new Set([2]) }),
    ])
    const system = await regionPopularity({ train, time: 'seconds' }, () => validationOf(inner), TRIALS)
    expect(await answer(system, asked([], { country: 'DE' }), 4)).toEqual([0, 1, 2, 3])
    expect(await answer(system, asked([], { country: 'FR' }), 2)).toEqual([2, 3])
  })
})

describe('item-knn', () => {
  it('has the cosines that are worked out by hand', () => {
    const near = nearest(datasetOf(3, 3, takenBy([0, 1], [0, 1, 2], [2])))
    const row = (item: number): number[][] =>
      Array.from({ length: near.start[item + 1] - near.start[item] }, (_, i) => [
        near.index[near.start[item] + i],
        near.value[near.start[item] + i],
      ])
    expect(row(0)).toEqual([
      [1, 1],
      [2, 0.5],
    ])
    expect(row(2)).toEqual([
      [0, 0.5],
      [1, 0.5],
    ])
  })
})

describe('vmis-knn', () => {
  const index = sessionIndex(datasetOf(3, 5, takenBy([0, 1], [0, 2], [1, 2, 3])))
  const setting = { sessions: 10, neighbours: 10, items: 9, idf: 1 }
  // The newest item is 1 (weight 1), before it 0 (weight ½). The sessions, the newest first, are alike by 1, ½ and 1½, and
  // vote with 1 × .9, ½ × .8 and 1½ × .9; item 3 has idf ln 3, all others ln 1.5.
  const query = asked([1, 0])

  it('votes as worked out by hand', async () => {
    expect(await answer(vmis(index, setting), query, 10)).toEqual([3, 1, 0, 2])
    expect(await answer(vmis(index, { ...setting, idf: 0 }), query, 10)).toEqual([1, 0, 2, 3])
  })

  it('looks at no more sessions than it may, the most recent ones', async () => {
    expect(await answer(vmis(index, { ...setting, sessions: 1 }), query, 10)).toEqual([3, 1, 2])
  })

  it('lets only the most alike vote', async () => {
    expect(await answer(vmis(index, { ...setting, neighbours: 1 }), query, 10)).toEqual([0, 1])
  })

  it('matches the session going on, not what came before', async () => {
    expect(await answer(vmis(index, { ...setting, idf: 0 }), { ...asked([3, 0]), inSession: 1 }, 10)).toEqual([1, 2, 3])
  })
})

describe('the dense inverse', () => {
  it.each([1, 3, 64, 65, 200])('times the matrix is one, at %i rows', (n) => {
    const random = randomStream(n)
    const matrix = new Float32Array(n * n)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = i === j ? n + random() : random() - 0.5
    }
    const inverse = matrix.slice()
    invertSymmetric(inverse, n)
    let worst = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let k = 0; k < n; k++) sum += matrix[i * n + k] * inverse[k * n + j]
        worst = Math.max(worst, Math.abs(sum - (i === j ? 1 : 0)))
      }
    }
    expect(worst).toBeLessThan(1e-5)
  })

  it('refuses a matrix that has none', () => {
    expect(() => invertSymmetric(Float32Array.from([1, 2, 2, 1]), 2)).toThrow(RangeError)
  })
})

describe('per-user', () => {
  // X'X + I = [[3, 1], [1, 3]], so each of the two items speaks for the other with 1/3; nobody has the third.
  const model = ease(gramOf(datasetOf(3, 3, takenBy([0, 1], [0], [1])), 10), 1)
  const setting: PerUserSetting = { lambda: 1, decay: 5, pastDecay: 5, pastWeight: 1, selfWeight: 0, pastSelfWeight: 0 }

  it('has the weights that are worked out by hand, and leaves out what nobody has', () => {
    expect([...model.items]).toEqual([0, 1])
    const expected = [0, 1 / 3, 1 / 3, 0]
    for (const [i, weight] of model.weight.entries()) expect(weight).toBeCloseTo(expected[i], 6)
  })

  it('lets an item speak for itself as much as it is told, in the session and before it', async () => {
    expect(await answer(perUser(model, setting), asked([0]), 2)).toEqual([1, 0])
    expect(await answer(perUser(model, { ...setting, selfWeight: 0.5 }), asked([0]), 2)).toEqual([0, 1])
    const earlier = { ...asked([0]), inSession: 0 }
    expect(await answer(perUser(model, { ...setting, selfWeight: 0.5 }), earlier, 2)).toEqual([1, 0])
    expect(await answer(perUser(model, { ...setting, pastSelfWeight: 0.5 }), earlier, 2)).toEqual([0, 1])
  })

  it('says nothing of a visitor without a history', async () => {
    expect(await answer(perUser(model, setting), asked([]), 2)).toEqual([])
  })
})

describe('per-user-ranked', () => {
  const random = randomStream(4)
  const rows = Array.from({ length: 80 }, (_, visitor) => visitor).flatMap((visitor) =>
    Array.from({ length: 20 }, (_, step): DeedRow => {
      const session = Math.floor(step / 4)
      const at = START + session * 5 * DAY + visitor * 60 + step
      return { visitor, item: 6 * (visitor % 4) + Math.floor(random() * 6), at, session: 5 * visitor + session }
    }),
  )
  const train = datasetOf(80, 24, rows)
  const config = { ...readConfig(undefined), trials: 1, epochs: 2, minVisitors: 1, candidates: 10 }
  const setting: PerUserSetting = { lambda: 10, decay: 5, pastDecay: 15, pastWeight: 0.3, selfWeight: 0.1, pastSelfWeight: 0.1 }

  it('arranges the model’s own candidates, without what is masked, the same every time', async () => {
    const model = ease(gramOf(train, 100), setting.lambda)
    const query = asked([7, 8, 9], { masked: new Set([6, 7]) })
    const own = (await answer(perUser(model, setting), query, 12)).filter((item) => !query.masked.has(item)).slice(0, 10)
    const ranked = await answer(await perUserRanked({ train }, model, setting, config), query, 22)
    expect([...ranked].sort()).toEqual([...own].sort())
    expect(await answer(await perUserRanked({ train }, model, setting, config), query, 22)).toEqual(ranked)
  })

  it('like per-user is left out, with the reason, where there are too many items', async () => {
    const trial = { ...trialOf(datasetOf(1, 12_001, takenBy([0])), []), fixed: {} }
    const open = { ...trial, tasks: async () => trial.tasks, validation: () => trial }
    const made = await baselines(open, config, (name) => name.startsWith('per-user'), silentProgress)
    expect(made.map(({ system }) => system)).toEqual(
      ['per-user', 'per-user-ranked'].map((name) => ({ name, omitted: '12,001 items are too many for a dense model (at most 12,000)' })),
    )
  })
})

describe('an inner cut', () => {
  const dataset = datasetOf(3, 6, takenBy([0, 1, 2], [3], [0, 4, 5, 1]))

  it('keeps the places of items and visitors, and only what came before', () => {
    const { deeds, items, visitors, to } = before(dataset, START + DAY)
    expect([...deeds.item]).toEqual([0, 1, 2])
    expect([items.length, visitors.length, to]).toEqual([6, 3, START + 2])
  })

  it('leaves the last deed out, but for those who have one', () => {
    expect([...withoutLast(dataset).deeds.item]).toEqual([0, 1, 3, 0, 4, 5])
  })

  it('asks for what it holds back, from what it keeps', () => {
    const many = datasetOf(50, 40, takenBy(...Array.from({ length: 50 }, (_, v) => Array.from({ length: 20 }, (_, i) => (v + i) % 40))))
    const { train, queries } = heldOut(many)
    expect(train.deeds.count + queries.reduce((sum, { relevant }) => sum + relevant.size, 0)).toBe(many.deeds.count)
    expect(train.deeds.count / many.deeds.count).toBeCloseTo(0.8, 1)
    for (const { history, relevant, masked } of queries) {
      expect(history.some(({ item }) => relevant.has(item))).toBe(false)
      expect(new Set(history.map(({ item }) => item))).toEqual(masked)
      // As old as what is kept makes it, not all of it just now: otherwise it would fade like one session.
      expect(history.map(({ age }) => age)).toEqual(history.map(({ age }) => age).toSorted((a, b) => a - b))
      expect(history[history.length - 1].age).toBeGreaterThan(history[0].age)
    }
  })
})

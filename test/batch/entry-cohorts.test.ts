import { describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import type { Dataset } from '../../batch/dataset.ts'
import { learnRelease } from '../../batch/evaluate/release.ts'
import type { Query } from '../../batch/evaluate/trial.ts'
import { entryTables } from '../../batch/learn/entry-tables.ts'
import { newcomersSince } from '../../batch/ranker/choose-entry.ts'
import { shopArrival, shopTaste } from '../../batch/sources/shop-model.ts'
import { habits, styles } from '../../batch/sources/shop-words.ts'
import { randomStream } from '../../shared/random.ts'
import { deviceClasses, referrerClasses, UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const PHONE = 1 + deviceClasses.indexOf('phone')
const DESKTOP = 1 + deviceClasses.indexOf('desktop')
const SOCIAL = 1 + referrerClasses.indexOf('social')
const VISITORS = 1500
const DAY = 86_400

/** Two tastes of 30 items each. Visitors arrive over 60 days; whether their device goes with their taste is what differs. */
function visits(told: boolean): Dataset {
  const random = randomStream(4)
  const rows = Array.from({ length: VISITORS }, (_, visitor) => visitor).flatMap((visitor) => {
    const taste = random() < 0.5 ? 0 : 1
    const usual = taste === 0 ? PHONE : DESKTOP
    const other = random() < 0.5 ? PHONE : DESKTOP
    const device = told && random() < 0.9 ? usual : other
    const arrived = 1_000_000_000 + Math.floor(random() * 59 * DAY)
    return [0, 1].flatMap((session) =>
      Array.from(
        { length: 3 },
        (_, step): DeedRow => ({
          visitor,
          item: 30 * taste + Math.floor(30 * random() ** 2),
          at: arrived + session * 20_000 + step * 60,
          session: 2 * visitor + session,
          device,
          referrer: visitor < 40 ? SOCIAL : 0,
        }),
      ),
    )
  })
  return datasetOf(VISITORS, 60, rows)
}

const config = { ...readConfig(undefined), trials: 1, epochs: 0, maxCohorts: 6 }
const stranger: Query = {
  history: [],
  inSession: 0,
  country: 'GB',
  context: UNKNOWN_CONTEXT,
  relevant: new Set(),
  masked: new Set(),
  cluster: 0,
}

describe('what a first visit tells', () => {
  it('is found where it tells something, and decides what strangers see', async () => {
    const { manifest, systems, metrics } = await learnRelease({ train: visits(true) }, config, silentProgress)
    expect(manifest.entry?.device).toHaveProperty('phone')
    expect(metrics['newcomers-entry.ndcg@20']).toBeGreaterThan(1.1 * metrics['newcomers-region.ndcg@20'])
    for (const { rank } of systems) {
      const of = async (device: 'phone' | 'desktop'): Promise<number[]> =>
        Array.from(await rank({ ...stranger, context: { ...UNKNOWN_CONTEXT, device } }, 10)).slice(0, 10)
      expect((await of('phone')).filter((item) => item < 30).length).toBeGreaterThan(7)
      expect((await of('desktop')).filter((item) => item >= 30).length).toBeGreaterThan(7)
    }
  })

  it('is left out where it tells nothing: strangers see the region’s list', async () => {
    const { manifest, systems, view, metrics } = await learnRelease({ train: visits(false) }, config, silentProgress)
    expect(metrics.newcomers).toBeGreaterThan(100)
    expect(manifest.entry).toBeUndefined()
    const listed = Array.from(view.list('GB', -1)?.items ?? [])
    for (const { rank } of systems)
      expect(await rank({ ...stranger, context: { ...UNKNOWN_CONTEXT, device: 'phone' } }, 10)).toEqual(listed)
  })

  it('is judged by those alone who come after the parting time', () => {
    const dataset = datasetOf(3, 5, [
      { visitor: 0, item: 0, at: 100 },
      { visitor: 0, item: 1, at: 900 },
      { visitor: 1, item: 2, at: 900, device: PHONE, country: 1 },
      { visitor: 1, item: 3, at: 950 },
    ])
    expect(newcomersSince(dataset, 500)).toEqual([
      { country: 'DE', context: { referrer: null, device: 'phone', hour: 1 }, next: new Set([2, 3]) },
    ])
  })
})

describe('entry tables', () => {
  const dataset = visits(true)
  const country = new Array<string>(VISITORS).fill('GB')
  const cohort = Int32Array.from({ length: VISITORS }, (_, visitor) => visitor % 3)

  it('have no row for a value that few visitors came with', () => {
    const tables = entryTables({ dataset, until: dataset.to + 1 }, { country, cohort, cohorts: 3 }, 50)
    expect(tables?.referrer).toEqual({})
    expect(Object.keys(tables?.device ?? {})).toEqual(['desktop', 'phone'])
    expect(entryTables({ dataset, until: dataset.to + 1 }, { country, cohort, cohorts: 3 }, 40)?.referrer).toHaveProperty('social')
  })

  it('say nothing of a value that comes alike in all cohorts', () => {
    const tables = entryTables({ dataset, until: dataset.to + 1 }, { country, cohort, cohorts: 3 }, 50)
    expect(tables?.prior).toEqual([-110, -110, -110])
    expect(tables?.region).toEqual({ GB: [0, 0, 0], '@EU': [0, 0, 0] })
    for (const log of tables?.device.phone ?? []) expect(Math.abs(log)).toBeLessThanOrEqual(5)
  })

  it('are none without cohorts', () => {
    expect(entryTables({ dataset, until: dataset.to + 1 }, { country, cohort: cohort.fill(-1), cohorts: 0 }, 50)).toBeUndefined()
  })
})

describe('the generated shop', () => {
  it('has visitors come as their taste would have them', () => {
    const random = randomStream(2)
    const rate = { usual: 0, other: 0 }
    const seen = { usual: 0, other: 0 }
    for (let i = 0; i < 4000; i++) {
      const taste = shopTaste(random)
      const { device } = shopArrival(taste, random)
      const usual = habits[styles[taste.styles.indexOf(Math.max(...taste.styles))].name].device === 'phone' ? 'usual' : 'other'
      seen[usual]++
      if (device === 'phone') rate[usual]++
    }
    expect(rate.usual / seen.usual).toBeGreaterThan(2 * (rate.other / seen.other))
    expect(rate.other).toBeGreaterThan(100)
  })
})

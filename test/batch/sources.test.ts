import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gowallaSource } from '../../batch/evaluate/trials/sessions.ts'
import { onlineRetail } from '../../batch/sources/online-retail.ts'
import { openSource } from '../../batch/sources/registry.ts'
import { retailSlice } from './fixtures/make-retail-slice.ts'
import { sourcesFolder } from './support/sources-folder.ts'

const SLICE = join(import.meta.dirname, 'fixtures/online-retail-slice.csv.gz')
const DATA = join(import.meta.dirname, '../../../shared/data')
const { folder, read, write } = sourcesFolder()

it('takes check-ins without times for sessions of one item each, so that chance makes no baskets', async () => {
  const lines = Array.from({ length: 20 }, (_, v) => [v, ...Array.from({ length: 60 }, (_, i) => (7 * v + i) % 90)].join(' '))
  const { deeds } = await read([gowallaSource(write('check-ins.txt.gz', gzipSync(lines.join('\n'))))])
  expect(deeds.count).toBe(20 * 60)
  expect(new Set(deeds.session).size).toBe(deeds.count)
})

describe('the shipped look-alike of Online Retail', () => {
  it('is what its generator makes', () => {
    expect(gunzipSync(readFileSync(SLICE)).toString()).toBe(retailSlice(1))
  })

  it('gives countries, baskets and titles, and no postage', async () => {
    const dataset = await read([onlineRetail(SLICE)])
    expect(dataset.countries).toEqual(['', 'DE', 'ES', 'FR', 'GB', 'IE', 'JP', 'NL', 'US'])
    expect(dataset.items.map(({ id }) => id)).not.toContain('POST')
    expect(dataset.items.every(({ values }) => typeof values.title === 'string')).toBe(true)
    const { deeds } = dataset
    for (let k = 1; k < deeds.count; k++) {
      if (deeds.session[k] === deeds.session[k - 1]) expect(deeds.at[k]).toBe(deeds.at[k - 1])
    }
  })

  it('reads to the same bytes with one thread and with four', async () => {
    const [one, four] = [await read([onlineRetail(SLICE)], 1), await read([onlineRetail(SLICE)], 4)]
    expect(four.fingerprint).toBe(one.fingerprint)
    expect(four.deeds).toEqual(one.deeds)
  })
})

describe.skipIf(!existsSync(DATA))('the real data sets (skipped where ../shared/data is absent)', () => {
  it('cleans Online Retail to the published counts', async () => {
    const dataset = await read([openSource('online-retail', { directory: folder })])
    expect([dataset.deeds.count, dataset.visitors.length, dataset.items.length]).toEqual([396_337, 4_334, 3_659])
    expect(dataset.deeds.session[dataset.deeds.count - 1] + 1).toBe(18_402)
  })

  it('reads every rating, user and movie of MovieTweetings', async () => {
    const dataset = await read([openSource('movietweetings', { directory: folder })])
    expect([dataset.deeds.count, dataset.visitors.length, dataset.items.length]).toEqual([100_000, 16_554, 10_506])
    const since = (year: string): number[] => dataset.items.filter(({ values }) => values.year === year).map(({ firstSeen }) => firstSeen)
    expect(new Set(since('1994'))).toEqual(new Set([Date.UTC(1994, 11, 31) / 1000]))
    expect(Math.max(...since('2013'))).toBeLessThanOrEqual(dataset.to)
  })
})

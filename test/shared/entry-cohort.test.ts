import { describe, expect, it } from 'vitest'
import { cohortChances, entryList } from '../../shared/ranking/entry-cohort.ts'
import { usualHour, zoneHour } from '../../shared/ranking/local-hour.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { deviceClass, hourBand, referrerClass, UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import type { EntryTables } from '../../shared/release/manifest.ts'
import { buildTinyRelease } from '../edge/fixtures/tiny-release.ts'

/** Hundredths of the natural logarithm, as a manifest has them. */
const ln = (value: number): number => Math.round(100 * Math.log(value))

const tables: EntryTables = {
  prior: [ln(0.75), ln(0.25)],
  region: { GB: [ln(1), ln(1)], '@EU': [ln(0.5), ln(2.5)] },
  referrer: { social: [ln(0.5), ln(2.5)] },
  device: { phone: [ln(0.8), ln(1.6)], desktop: [ln(1.2), ln(0.4)] },
  hour: { '5': [ln(1), ln(2)] },
}
const phoneFromSocial = { referrer: 'social', device: 'phone', hour: null } as const

describe('the chances of cohorts', () => {
  it('are the prior where nothing is known, and where nothing known has a row', () => {
    for (const context of [UNKNOWN_CONTEXT, { referrer: 'email', device: 'tablet', hour: 3 } as const]) {
      const [first, second] = cohortChances(tables, ['*'], context)
      expect(first).toBeCloseTo(0.75, 2)
      expect(second).toBeCloseTo(0.25, 2)
    }
  })

  it('are the prior times what each value says', () => {
    // .75 × .5 × .8 = .3 against .25 × 2.5 × 1.6 = 1
    expect(cohortChances(tables, ['GB', '*'], phoneFromSocial)[0]).toBeCloseTo(0.3 / 1.3, 2)
    // … × 1 against … × 2 between eight and midnight
    expect(cohortChances(tables, ['GB', '*'], { ...phoneFromSocial, hour: 23 })[0]).toBeCloseTo(0.3 / 2.3, 2)
    // .75 × 1.2 = .9 against .25 × .4 = .1
    expect(cohortChances(tables, ['GB', '*'], { ...UNKNOWN_CONTEXT, device: 'desktop' })[0]).toBeCloseTo(0.9, 2)
  })

  it('take the narrowest region that has a row', () => {
    // .75 × .5 = .375 against .25 × 2.5 = .625
    expect(cohortChances(tables, ['FR', '@EU', '*'], UNKNOWN_CONTEXT)[0]).toBeCloseTo(0.375, 2)
    expect(cohortChances(tables, ['GB', '@EU', '*'], UNKNOWN_CONTEXT)[0]).toBeCloseTo(0.75, 2)
  })
})

describe('the entry list', () => {
  const list = (items: number[], scores: number[]) => ({ items: Uint16Array.from(items), scores: Uint8Array.from(scores), scale: 0.001 })
  const viewOf = async (entry: EntryTables | undefined, withCohorts = true): Promise<ReleaseView> => {
    const { manifest } = await buildTinyRelease()
    const lists = new Map([
      ['GB -1', list([1, 2, 3], [200, 100, 50])],
      ...(withCohorts
        ? ([
            ['* 0', list([1, 2], [200, 100])],
            ['* 1', list([3, 4], [200, 100])],
          ] as const)
        : []),
    ])
    const never = (): never => {
      throw new Error('not for the entry list')
    }
    return {
      release: 'test',
      manifest: entry === undefined ? manifest : { ...manifest, entry },
      get core() {
        return never()
      },
      neighbours: never,
      list: (region, cohort) => lists.get(`${region} ${cohort}`),
    }
  }

  it('is the region’s list, as far as nothing is known', async () => {
    const entered = entryList(await viewOf(tables), ['GB', '*'], UNKNOWN_CONTEXT)
    expect(entered?.cohort).toBe(0)
    expect(entered?.items.map(({ item, score, context }) => [item, score, context])).toEqual([
      [1, 1, 0],
      [2, 0.5, 0],
      [3, 0.25, 0],
    ])
  })

  it('adds what makes a cohort likelier, and takes away what makes it less likely', async () => {
    const entered = entryList(await viewOf(tables), ['GB', '*'], phoneFromSocial)
    // P(1) rises from .25 to .769: by .519. Item 3: .05 + .519 × .2; 4: .519 × .1; 1: .2 − .519 × .2; 2: .1 − .519 × .1
    expect(entered?.cohort).toBe(1)
    expect(entered?.items.map(({ item }) => item)).toEqual([3, 1, 4, 2])
    expect(entered?.items.map(({ cohort }) => cohort)).toEqual([1, -1, 1, -1])
    expect(entered?.items[1].score).toBeCloseTo((0.2 - 0.519 * 0.2) / (0.05 + 0.519 * 0.2), 2)
    expect(entered?.items[2].region).toBe(0)
  })

  it('is none without tables, without lists of cohorts, and without a region’s list', async () => {
    expect(entryList(await viewOf(undefined), ['GB', '*'], phoneFromSocial)).toBeUndefined()
    expect(entryList(await viewOf(tables, false), ['GB', '*'], phoneFromSocial)).toBeUndefined()
    expect(entryList(await viewOf(tables), ['FR', '*'], phoneFromSocial)).toBeUndefined()
  })
})

describe('where a visit comes from', () => {
  it.each([
    ['', 'none'],
    ['https://shop.example/mugs', 'internal'],
    ['https://www.google.co.uk/', 'search'],
    ['https://duckduckgo.com/?q=mug', 'search'],
    ['android-app://com.google.android.googlequicksearchbox/', 'search'],
    ['https://l.facebook.com/l.php', 'social'],
    ['https://t.co/abc', 'social'],
    ['https://mail.google.com/mail/u/0', 'email'],
    ['android-app://com.google.android.gm/', 'email'],
    ['https://blog.example/best-mugs', 'other'],
    ['https://notgoogle.com/', 'other'],
    ['https://cat.co/', 'other'],
    ['no address', 'other'],
  ])('%s is %s', (url, expected) => {
    expect(referrerClass(url, new Set(['shop.example']))).toBe(expected)
  })
})

describe('what a visitor holds', () => {
  const linux = 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'
  const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1'
  const android = 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36'
  it.each([
    ['?1', linux, 'phone'],
    ['?0', android.replace(' Mobile', ''), 'tablet'],
    [null, android, 'phone'],
    [null, iphone, 'phone'],
    [null, 'Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Version/16.6 Mobile/15E148 Safari/604.1', 'tablet'],
    ['?0', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36', 'desktop'],
    [null, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15', 'desktop'],
    [null, linux, 'desktop'],
    [null, 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'other'],
    [null, 'Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 TV Safari/537.36', 'other'],
    [null, 'curl/8.5.0', 'other'],
    ['?0', null, null],
    [null, null, null],
  ])('%s %s is %s', (mobile, userAgent, expected) => {
    expect(deviceClass(mobile, userAgent)).toBe(expected)
  })
})

describe('the hour of a visit', () => {
  const at = Date.UTC(2026, 6, 1, 22, 30) / 1000

  it('is that of the time zone, summer time and all, or the country’s usual one', () => {
    expect(zoneHour(at, 'Europe/Berlin')).toBe(0)
    expect(zoneHour(at, 'Asia/Kolkata')).toBe(4)
    expect(zoneHour(at, 'Nowhere/At all')).toBeNull()
    expect([usualHour(at, 'GB'), usualHour(at, 'DE'), usualHour(at, 'US'), usualHour(at, 'IN'), usualHour(at, '')]).toEqual([
      22, 23, 17, 4, 22,
    ])
  })

  it('counts in bands of four', () => {
    expect([0, 3, 4, 23].map(hourBand)).toEqual(['0', '0', '1', '5'])
  })
})

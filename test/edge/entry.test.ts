import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { eventLogs } from '../../workers/objects/event-log-client.ts'
import { ask, click, cold, FR, GB, idsOf, newVisitor, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, groupOf, type TinyRelease } from './fixtures/tiny-release.ts'

const ROW = [0, 0, 0, 0]
const towards = (cohort: number): number[] => ROW.map((_, c) => (c === cohort ? 300 : -300))
const PHONE = { 'sec-ch-ua-mobile': '?1' }
const DESKTOP = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0' }
const SOCIAL = 'https://www.instagram.com/'
const yes = { consent: 'granted' }

/** Britain, by a clock that now shows this hour. */
function placeAt(hour: number): Record<string, string> {
  const ahead = ((hour - new Date().getUTCHours() + 36) % 24) - 12
  return { ...GB, timezone: ahead === 0 ? 'Etc/GMT' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}` }
}
/** No row of the tables speaks of noon. */
const quietPlace = (): Record<string, string> => placeAt(12)

let release: TinyRelease
beforeAll(async () => {
  const entry = {
    prior: ROW,
    region: {},
    referrer: { social: towards(0), search: towards(1) },
    device: { phone: towards(2), desktop: towards(3) },
    hour: { 0: towards(1) },
  }
  release = await buildTinyRelease({ change: (manifest) => ({ ...manifest, entry }) })
})
beforeEach(() => publish(release))

/** The group of the item shown first. */
const leading = (answer: Awaited<ReturnType<typeof recommendations>>): number => groupOf(release.itemIds.indexOf(idsOf(answer)[0]))

describe('a visitor without clicks', () => {
  it('sees what visitors take who come alike, and is told which cohort that is', async () => {
    const phone = await recommendations({ ...yes }, { headers: PHONE, cf: quietPlace() })
    const desktop = await recommendations({ ...yes }, { headers: DESKTOP, cf: quietPlace() })
    expect([phone.cohort, desktop.cohort]).toEqual([2, 3])
    expect([leading(phone), leading(desktop)]).toEqual([2, 3])
    expect(phone).toMatchObject({ rung: 'list-order', region: 'GB', release: release.entry.release })
    expect(phone.items[0]).toMatchObject({ source: 'cohort-list', score: 1 })
    expect(phone.items[0].reasons).toEqual([
      { code: 'popular-with-cohort', cohort: 2 },
      { code: 'popular-in', region: 'GB' },
    ])
    expect(phone.items).toHaveLength(20)
    expect(new Set(idsOf(phone)).size).toBe(20)
  })

  it('is known by where the page says they came from, else by the header, if that names another site', async () => {
    const from = async (body: object, headers: Record<string, string> = {}): Promise<number | null> =>
      (await recommendations({ ...yes, ...body }, { headers, cf: quietPlace() })).cohort
    expect(await from({ referrer: SOCIAL })).toBe(0)
    expect(await from({ referrer: 'https://www.google.com/' })).toBe(1)
    expect(await from({}, { referer: SOCIAL })).toBe(0)
    expect(await from({ referrer: SOCIAL }, { referer: 'https://www.google.com/' })).toBe(0)
    // Nothing is known then; all cohorts are alike, and the first of them counts.
    const unknown = await recommendations({ ...yes }, { headers: { referer: 'https://edge.test/mugs' }, cf: quietPlace() })
    const listed = await recommendations({ scenario: 'popular' }, { cf: quietPlace() })
    expect(idsOf(unknown).slice(0, 10)).toEqual(idsOf(listed).slice(0, 10))
  })

  it('is known by the hour where they are', async () => {
    const early = placeAt(2)
    expect((await recommendations({ ...yes }, { cf: early })).cohort).toBe(1)
  })

  it('gets the region’s list without a yes, whatever the request tells', async () => {
    const listed = await recommendations({ scenario: 'popular' }, { cf: FR })
    for (const [body, headers] of [
      [{ consent: 'denied' }, PHONE],
      [{ consent: 'unknown', referrer: SOCIAL }, PHONE],
      [{}, PHONE],
      [
        { consent: 'granted', referrer: SOCIAL },
        { ...PHONE, 'sec-gpc': '1' },
      ],
      [{ visitor: await newVisitor() }, PHONE],
    ] as const) {
      const answer = await recommendations(body, { headers: { ...headers }, cf: FR })
      expect(answer).toMatchObject({ rung: 'region-list', cohort: null, region: 'FR' })
      expect(idsOf(answer)).toEqual(idsOf(listed))
    }
  })

  it('goes by what they do from the first click on', async () => {
    const visitor = await newVisitor()
    expect((await recommendations({ ...yes, visitor }, { headers: PHONE, cf: quietPlace() })).cohort).toBe(2)
    await click(visitor, release.itemIds[20])
    expect((await recommendations({ ...yes, visitor }, { headers: PHONE, cf: quietPlace() })).cohort).toBe(1)
  })

  it('sees nothing that is excluded, filtered away or not in stock', async () => {
    const first = await recommendations({ ...yes }, { headers: PHONE, cf: quietPlace() })
    const again = await recommendations(
      { ...yes, exclude: [idsOf(first)[0]], filter: { maxPrice: 40 } },
      { headers: PHONE, cf: quietPlace() },
    )
    expect(idsOf(again)).not.toContain(idsOf(first)[0])
    expect(again.items.every(({ values }) => (values.price ?? 0) <= 40)).toBe(true)
  })

  it('gets the region’s list where the release has no entry cohorts, and public lists stay what they are', async () => {
    const path = '/v1/lists/GB/home'
    const withTables = await (await ask(path, { headers: PHONE })).json<{ items: unknown[] }>()
    await publish(await buildTinyRelease())
    expect(await recommendations({ ...yes }, { headers: PHONE })).toMatchObject({ rung: 'region-list', cohort: null })
    cold()
    expect((await (await ask(path)).json<{ items: unknown[] }>()).items).toEqual(withTables.items)
  })

  it('may say where they came from in at most 2000 characters', async () => {
    await expect(recommendations({ ...yes, referrer: 'x'.repeat(2001) })).rejects.toThrow(/at most 2000 characters/)
  })
})

describe('an event', () => {
  const record = async (more: object, headers: Record<string, string> = {}): Promise<Record<string, unknown>> => {
    const event = { id: 'event-entry-1', type: 'click', item: release.itemIds[0] }
    const body = { writeKey: 'pk_demo', visitor: await newVisitor(), events: [event], ...more }
    const response = await ask('/v1/events', { method: 'POST', headers, body: JSON.stringify(body), cf: GB })
    expect(response.status).toBe(202)
    for (const log of eventLogs(env)) await log.flush()
    const { objects } = await env.EVENTS.list({ prefix: 'events/' })
    return JSON.parse((await (await env.EVENTS.get(objects[0].key))?.text()) ?? '')
  }

  it('is archived with the class of device and referrer, and with neither browser nor address', async () => {
    const kept = await record(
      { ...yes, referrer: 'https://www.google.com/search?q=secret+wish' },
      { ...DESKTOP, referer: 'https://edge.test/page' },
    )
    expect(kept).toMatchObject({ device: 'desktop', referrer: 'search', country: 'GB' })
    expect(JSON.stringify(kept)).not.toMatch(/secret|google|Mozilla|edge\.test/)
  })

  it('is archived without them where there is no consent', async () => {
    expect(await record({ consent: 'denied', referrer: SOCIAL }, PHONE)).toMatchObject({ device: null, referrer: null, visitor: null })
  })
})

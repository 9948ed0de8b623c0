import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import type { ConsentChoice } from '../../shared/schemas/ids.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, archive, bearer, call, click, eventId, flushed, from, mint, post, visitorObjects } from './events-client.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

let items: string[]
let logged: string[]

beforeEach(async () => {
  coldStart()
  const { entries, itemIds } = await buildTinyRelease()
  await putEntries(env.RELEASES, entries)
  items = itemIds
  logged = []
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void logged.push(parts.map(String).join(' ')))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await reset()
})

const recommended = async (more: object, init: RequestInit = {}): Promise<RecommendationAnswer> =>
  (await post('/v1/recommendations', { writeKey: env.WRITE_KEY, region: 'GB', ...more }, init)).json()
const decide = (visitor: string, consent: ConsentChoice): Promise<Response> =>
  post('/v1/visitors/me/consent', { writeKey: env.WRITE_KEY, visitor, consent })
const purchase = (item: string): object => ({ id: eventId(), type: 'purchase', order: '1007', items: [{ item }] })
/** An answer without what differs by chance. */
const shape = ({ recommId, ...answer }: RecommendationAnswer): object => ({ ...answer, recommId: typeof recommId })

/** Everything a visitor does on a page that sends their id along whatever they said. @returns all that was kept or printed */
async function traces(
  consent: ConsentChoice | undefined,
  init: RequestInit = {},
): Promise<{ ids: number; objects: number; orders: number }> {
  const visitor = await mint()
  const hash = await visitorHash(env.ID_KEY, visitor)
  const before = await visitorObjects()
  const answer = await accepted(from(visitor, [click(items[20]), purchase(items[21])], { consent }), init as RequestInit<CfProperties>)
  await recommended({ visitor, token: answer.token ?? 'k1.AAAA', consent }, init)
  await post('/v1/visitors', { writeKey: env.WRITE_KEY, consent }, init as RequestInit<CfProperties>)
  await call('/v1/visitors/me', bearer(`${visitor}x`))
  await flushed()
  const { keys } = await archive()
  const texts = await Promise.all(keys.map(async (key) => (await env.EVENTS.get(key))?.text() ?? ''))
  const all = [...texts, ...logged].join('\n')
  return {
    ids: all.split(visitor.slice(3, 20)).length + all.split(hash).length - 2,
    objects: (await visitorObjects()) - before,
    orders: all.split('1007').length - 1,
  }
}

describe('a visitor who does not allow it', () => {
  test.each([
    ['says no', 'denied', {}],
    ['has not said anything to the page', 'unknown', {}],
    ['says no to each purpose', { personalisation: 'denied', learning: 'denied' }, {}],
    ['sends Global Privacy Control', 'granted', { headers: { 'sec-gpc': '1' } }],
  ] as const)('%s: no object, no order number, and no id in the archive or in a log', async (_, consent, init) => {
    expect(await traces(consent, init)).toEqual({ ids: 0, objects: 0, orders: 0 })
  })

  test('leaves what the same visit leaves with a yes, were it not for the no', async () => {
    expect(await traces('granted')).toEqual({ ids: 2, objects: 1, orders: 1 })
  })

  test('gets the list that is public in the region', async () => {
    const visitor = await mint()
    const { token } = await accepted(from(visitor, [click(items[20])]))
    const list: RecommendationAnswer = await (await call('/v1/lists/GB/popular')).json()
    const own = await recommended({ visitor, token, consent: 'granted' })
    expect(own.items.map(({ id }) => id)).not.toEqual(list.items.slice(0, own.items.length).map(({ id }) => id))
    for (const sent of [{ consent: 'denied' }, { consent: 'denied', visitor, token }] as const) {
      const { items: shown, cohort } = await recommended(sent)
      expect(shown.map(({ id, score }) => [id, score])).toEqual(list.items.slice(0, shown.length).map(({ id, score }) => [id, score]))
      expect(cohort).toBeNull()
    }
  })
})

describe('consent for a purpose', () => {
  test('learning alone: the archive has a pseudonym, and nothing is remembered at the edge', async () => {
    const visitor = await mint()
    const before = await visitorObjects()
    const consent = { personalisation: 'denied', learning: 'granted' } as const
    expect(await accepted(from(visitor, [click(items[20])], { consent }))).not.toHaveProperty('token')
    expect((await flushed()).map((line) => line.visitor)).toEqual([await visitorHash(env.ID_KEY, visitor)])
    expect(await (await call('/v1/visitors/me', bearer(visitor))).json()).toMatchObject({ items: [], createdAt: null })
    expect(shape(await recommended({ visitor, consent }))).toEqual(shape(await recommended({ consent: 'denied' })))
    expect((await visitorObjects()) - before).toBeLessThanOrEqual(1)
  })

  test('personalisation alone: the answers are personal, and the archive belongs to nobody', async () => {
    const visitor = await mint()
    const consent = { personalisation: 'granted', learning: 'denied' } as const
    const { token } = await accepted(from(visitor, [click(items[20])], { consent }))
    expect(token).toBeDefined()
    expect((await flushed()).map((line) => [line.visitor, line.device, line.referrer])).toEqual([[null, null, null]])
    expect((await recommended({ visitor, consent })).cohort).not.toBeNull()
  })

  test('an id is minted for one purpose as for both', async () => {
    for (const consent of [{ learning: 'granted' }, { personalisation: 'granted', learning: 'denied' }])
      expect((await post('/v1/visitors', { writeKey: env.WRITE_KEY, consent })).status).toBe(201)
    const refused = await post('/v1/visitors', { writeKey: env.WRITE_KEY, consent: { advertising: 'granted' } })
    expect(refused.status).toBe(400)
  })
})

describe('a change of mind', () => {
  test('works at once: the next answer is the region’s, and the next event is nobody’s, whatever another tab says', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    expect(await (await decide(visitor, 'denied')).json()).toEqual({ consent: { personalisation: 'denied', learning: 'denied' } })
    const late = await accepted(from(visitor, [click(items[21])]))
    expect(late).not.toHaveProperty('token')
    const stranger = shape(await recommended({ consent: 'granted' }))
    for (const consent of ['granted', undefined] as const) expect(shape(await recommended({ visitor, consent }))).toEqual(stranger)
    expect(new Map((await flushed()).map((line) => ['item' in line ? line.item : '', line.visitor]))).toEqual(
      new Map([
        [items[20], await visitorHash(env.ID_KEY, visitor)],
        [items[21], null],
      ]),
    )
  })

  test('works back again, at once', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    await decide(visitor, 'denied')
    await decide(visitor, 'granted')
    // What was forgotten does not come back; what is done from now on counts.
    expect(await (await call('/v1/visitors/me', bearer(visitor))).json()).toMatchObject({ items: [] })
    expect(await accepted(from(visitor, [click(items[22])]))).toHaveProperty('token')
    expect((await recommended({ visitor, consent: 'granted' })).cohort).not.toBeNull()
  })

  test('about one purpose leaves the other as it was', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    await decide(visitor, { learning: 'denied' })
    expect(await accepted(from(visitor, [click(items[21])]))).toHaveProperty('token')
    expect((await flushed()).filter((line) => line.visitor !== null)).toHaveLength(1)
    expect((await recommended({ visitor, consent: 'granted' })).cohort).not.toBeNull()
  })

  test('needs proof', async () => {
    expect((await decide('user:anna', 'denied')).status).toBe(401)
  })
})

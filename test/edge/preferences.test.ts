import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import type { PreferencesAnswer } from '../../shared/schemas/visitors.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, bearer, call, click, from, mint, post, problemOf } from './events-client.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

let items: string[]
beforeEach(async () => {
  coldStart()
  const { entries, itemIds } = await buildTinyRelease()
  await putEntries(env.RELEASES, entries)
  items = itemIds
})
afterEach(() => reset())

const put = (body: object): Promise<Response> => call('/v1/visitors/me/preferences', { method: 'PUT', body: JSON.stringify(body) })
const kept = async (body: object): Promise<PreferencesAnswer['preferences']> =>
  (await (await put(body)).json<PreferencesAnswer>()).preferences
async function recommended(visitor: string | undefined, more: object = {}): Promise<RecommendationAnswer> {
  const asked = { writeKey: env.WRITE_KEY, consent: 'granted', scenario: 'home', region: 'GB', visitor, ...more }
  return (await post('/v1/recommendations', asked)).json()
}
const idsOf = ({ items: shown }: RecommendationAnswer): string[] => shown.map(({ id }) => id)

test('what a visitor said they like decides their first answers, and what they then do decides the next', async () => {
  const visitor = await mint()
  const stranger = idsOf(await recommended(undefined))
  expect(await kept({ visitor, consent: 'granted', items: [items[20]] })).toEqual({ categories: [], items: [items[20]] })
  const first = idsOf(await recommended(visitor))
  expect(first).not.toEqual(stranger)
  // Chosen is not looked at, and says so.
  const reasons = (await recommended(visitor, { limit: 100 })).items.map(
    ({ id, reasons: why }) => [id, why.map(({ code }) => code)] as const,
  )
  expect(reasons.find(([id]) => id === items[20])?.[1]).toContain('chosen')
  expect(reasons.flatMap(([, codes]) => codes)).not.toContain('viewed')
  expect(reasons.filter(([, codes]) => codes.includes('chosen'))).toHaveLength(1)
  expect(idsOf(await recommended(visitor, { scenario: 'recently-viewed' }))).toEqual([])
  const { token } = await accepted(from(visitor, [{ ...click(items[1]), type: 'impression', item: undefined, items: [items[1]] }]))
  expect(idsOf(await recommended(visitor, { token }))).toEqual(first)
  await accepted(from(visitor, [click(items[5])]))
  expect(idsOf(await recommended(visitor))).toEqual(idsOf(await recommended(await visitorWhoClicked(items[5]))))
})

async function visitorWhoClicked(item: string): Promise<string> {
  const visitor = await mint()
  await accepted(from(visitor, [click(item)]))
  return visitor
}

test('a category stands for its best items', async () => {
  const visitor = await mint()
  const { values } = (await recommended(undefined)).items[3]
  await kept({ visitor, consent: 'granted', categories: [values.category, 'no such category'] })
  const answer = await recommended(visitor)
  expect(idsOf(answer)).not.toEqual(idsOf(await recommended(undefined)))
  expect(answer.cohort).not.toBeNull()
  const codes = answer.items.flatMap(({ reasons }) => reasons.map(({ code }) => code))
  for (const deed of ['viewed', 'chosen', 'again']) expect(codes).not.toContain(deed)
})

test('without consent they are not kept, and a no takes them away', async () => {
  const visitor = await mint()
  for (const consent of [undefined, 'denied', 'unknown']) expect(await kept({ visitor, consent, items: [items[20]] })).toBeNull()
  await kept({ visitor, consent: 'granted', items: [items[20]] })
  await post('/v1/visitors/me/consent', { consent: 'denied' }, bearer(visitor))
  expect(await (await call('/v1/visitors/me', bearer(visitor))).json()).not.toHaveProperty('preferences')
  expect(idsOf(await recommended(visitor))).toEqual(idsOf(await recommended(undefined)))
  await call('/v1/visitors/me', { method: 'DELETE', ...bearer(visitor) })
  expect(await kept({ visitor, consent: 'granted', items: [items[20]] })).toBeNull()
})

test('they need proof, and lists that are not too long', async () => {
  expect((await put({ consent: 'granted', items: [items[20]] })).status).toBe(401)
  const visitor = await mint()
  expect(await problemOf(await put({ visitor, items: Array.from({ length: 21 }, () => 'a') }))).toMatchObject({
    status: 400,
    field: 'items',
  })
})

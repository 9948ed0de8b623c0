import { env } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Problem } from '../../shared/schemas/problem.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { decimal } from '../../workers/serving/decimal.ts'
import { call } from './events-client.ts'
import { ask, FR, GB, idsOf, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, type TinyRelease } from './fixtures/tiny-release.ts'

let release: TinyRelease

beforeAll(async () => {
  release = await buildTinyRelease()
  await publish(release)
})

const get = async (path: string, cf = GB): Promise<RecommendationAnswer> => (await ask(path, { cf })).json()
const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  ask('/v1/recommendations', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers, cf: GB })

describe('GET and POST /v1/recommendations', () => {
  it('answer privately, with timing, and with an id of their own each time', async () => {
    const [first, second] = [await ask('/v1/recommendations', { cf: GB }), await post({ writeKey: 'pk_demo' })]
    for (const response of [first, second]) {
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('cache-control')).toBe('private, no-store')
      expect(response.headers.get('server-timing')).toMatch(/^wait;dur=\d/)
    }
    const [a, b] = [await first.json<RecommendationAnswer>(), await second.json<RecommendationAnswer>()]
    expect(a.recommId).toMatch(/^[\w-]{22}$/)
    expect(b.recommId).not.toBe(a.recommId)
    expect(idsOf(a)).toEqual(idsOf(b))
  })

  it('have the same headers, for every origin its own', async () => {
    const allowing = { ...env, ALLOWED_ORIGINS: 'https://shop.example,https://news.example' }
    const headersOf = async (method: string, origin: string | null): Promise<Record<string, string>> => {
      const body = method === 'POST' ? { body: JSON.stringify({ writeKey: 'pk_demo' }) } : {}
      const { headers } = await call('/v1/recommendations', { method, ...body, ...(origin !== null && { headers: { origin } }) }, allowing)
      return Object.fromEntries([...headers].filter(([name]) => name !== 'server-timing'))
    }
    const origins = [null, 'https://shop.example', 'https://evil.example', 'https://news.example', 'https://edge.test', null]
    for (const origin of [...origins, ...origins]) {
      const headers = await headersOf('POST', origin)
      expect(headers).toEqual(await headersOf('GET', origin))
      expect(headers['access-control-allow-origin']).toBe(origin === 'https://evil.example' ? undefined : (origin ?? undefined))
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
  })

  it('tell scores as JSON has numbers', () => {
    for (const value of [0, -0, 1e-7, 1e-6, 0.000_12, 0.5, 0.123_456, 0.999_999, 1, 0.123_456_7, -0.25, 17.5, 2 / 3])
      expect(decimal(value)).toBe(JSON.stringify(value))
    for (let millionths = 1; millionths < 1e6; millionths += 37) expect(decimal(millionths / 1e6)).toBe(String(millionths / 1e6))
  })

  it('take the same parameters, a query by repeating them and by dots', async () => {
    const query = new URLSearchParams([
      ['scenario', 'bought-together'],
      ['items', release.itemIds[20]],
      ['items', release.itemIds[3]],
      ['exclude', release.itemIds[21]],
      ['filter.category', 'Garden'],
      ['filter.category', 'Toys'],
      ['filter.minPrice', '6'],
      ['limit', '5'],
      ['offset', '0'],
      ['explain', 'true'],
    ])
    const byQuery = await get(`/v1/recommendations?${query}`)
    const byBody = await recommendations({
      scenario: 'bought-together',
      items: [release.itemIds[20], release.itemIds[3]],
      exclude: [release.itemIds[21]],
      filter: { category: ['Garden', 'Toys'], minPrice: 6 },
      limit: 5,
      offset: 0,
      explain: true,
    })
    expect(byQuery.items.length).toBeGreaterThan(0)
    expect(byQuery.items).toEqual(byBody.items)
  })

  it('take ids of every kind, in a path too', async () => {
    for (const item of [release.itemIds[3], release.itemIds[4]]) {
      const answer = await get(`/v1/items/${encodeURIComponent(item)}/similar`)
      expect(answer.items[0].reasons[0]).toMatchObject({ code: 'similar-to', item })
    }
    const longest = 'é'.repeat(100)
    expect((await get(`/v1/items/${encodeURIComponent(longest)}/similar`)).rung).toBe('region-list')
    expect(await problem(`/v1/items/${encodeURIComponent(`${longest}x`)}/similar`)).toMatchObject({ status: 400, field: 'id' })
  })

  it('an admin needs no write key', async () => {
    expect((await post({}, { authorization: `Bearer ${env.ADMIN_KEY}` })).status).toBe(200)
  })
})

async function problem(path: string): Promise<Problem> {
  const response = await ask(path, { cf: GB })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const body = await response.json<Problem>()
  expect(body.status).toBe(response.status)
  return body
}

describe('what cannot be answered names the field', () => {
  it.each([
    ['scenario=nonsense', 'scenario'],
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=', 'limit'],
    ['limit=5&limit=6', 'limit'],
    ['offset=-1', 'offset'],
    ['offset=201', 'offset'],
    ['item=', 'item'],
    [`item=${'x'.repeat(201)}`, 'item'],
    ['items=a&items=', 'items[1]'],
    [Array.from({ length: 21 }, (_, i) => `items=${i}`).join('&'), 'items'],
    ['explain=perhaps', 'explain'],
    ['excludePurchased=2', 'excludePurchased'],
    ['filter.minPrice=-1', 'filter.minPrice'],
    ['filter.minPrice=cheap', 'filter.minPrice'],
    ['filter.colour=red', 'filter.colour'],
    ['filter.available=maybe', 'filter.available'],
    ['unknown=1', 'unknown'],
    ['__proto__=1', '__proto__'],
    ['filter.__proto__=1', 'filter.__proto__'],
    ['filter.constructor=1', 'filter.constructor'],
    ['visitor=v1.abc', 'visitor'],
    ['token=abc', 'token'],
  ])('GET ?%s → %s', async (query, field) => {
    expect(await problem(`/v1/recommendations?${query}`)).toMatchObject({ status: 400, field })
  })

  it.each([
    [{ limit: '5' }, 'limit'],
    [{ items: 'a' }, 'items'],
    [{ items: [] }, 'items'],
    [{ exclude: [1] }, 'exclude[0]'],
    [{ filter: { maxPrice: '9' } }, 'filter.maxPrice'],
    [{ filter: { size: 1 } }, 'filter.size'],
    [{ consent: 'yes' }, 'consent'],
    [{ region: 'gb' }, 'region'],
    [{ item: '\ud800' }, 'item'],
    [{ visitor: 7 }, 'visitor'],
    [{ nonsense: true }, 'nonsense'],
  ])('POST %j → %s', async (body, field) => {
    const response = await post({ writeKey: 'pk_demo', ...body })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ field })
  })

  it('POST: what is no JSON object, another site’s key, a body too large', async () => {
    for (const body of ['', '{', '[]', '[1]', '"text"', 'null']) {
      const response = await post(body)
      expect(await response.json()).toMatchObject({
        status: 400,
        detail: expect.stringMatching(/^the body must be (a JSON object|JSON in UTF-8)$/),
      })
    }
    expect((await post({})).status).toBe(403)
    expect(await (await post({ writeKey: 'pk_other' })).json()).toMatchObject({ status: 403, field: 'writeKey' })
    expect((await post({ writeKey: 'x'.repeat(70_000) })).status).toBe(413)
  })

  it('paths', async () => {
    expect(await problem('/v1/items/a/similar?item=b')).toMatchObject({ status: 400, field: 'item' })
    expect(await problem('/v1/lists/england/popular')).toMatchObject({ status: 400, field: 'region' })
    expect(await problem('/v1/lists/GB/similar')).toMatchObject({ status: 400, field: 'scenario' })
    expect(await problem('/v1/lists/GB/popular?limit=3')).toMatchObject({ status: 400, field: 'limit' })
    expect((await ask('/v1/lists/GB/popular', { method: 'POST' })).status).toBe(405)
  })
})

it('HEAD answers like GET, without the body', async () => {
  const response = await ask('/v1/lists/GB/popular', { method: 'HEAD', cf: FR })
  expect(response.status).toBe(200)
  expect(response.headers.get('etag')).toMatch(/^"[0-9a-f]{16}"$/)
  expect(await response.text()).toBe('')
})

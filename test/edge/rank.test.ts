import { env as bindings } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RankAnswer } from '../../shared/schemas/recommendations.ts'
import { ask, click, cold, GB, newVisitor, publish } from './fixtures/edge.ts'
import { buildTinyRelease, type TinyRelease } from './fixtures/tiny-release.ts'

let release: TinyRelease

beforeAll(async () => {
  release = await buildTinyRelease()
})
beforeEach(() => publish(release))

const send = (body: object): Promise<Response> =>
  ask('/v1/rank', { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }), cf: GB })

async function rank(body: object): Promise<RankAnswer> {
  const response = await send(body)
  expect(response.status).toBe(200)
  expect(response.headers.get('cache-control')).toBe('private, no-store')
  return response.json()
}

const places = (answer: RankAnswer): string[] => answer.items.map(({ id }) => id)

describe('POST /v1/rank', () => {
  it('puts what was sent in the order of who asks, and loses nothing', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[0], release.itemIds[1])
    // One of the history's own group, its best neighbour, and one of each other group.
    const items = [50, 35, 20, 2].map((item) => release.itemIds[item])
    const answer = await rank({ items, visitor, token, consent: 'granted' })
    expect(places(answer)[0]).toBe(release.itemIds[2])
    expect(places(answer).toSorted()).toEqual(items.toSorted())
    expect(['onnx', 'reference']).toContain(answer.rung)
    expect(answer.release).toBe(release.entry.release)
    expect(answer.items.map(({ position }) => position)).toEqual([1, 2, 3, 4])
    const scores = answer.items.map(({ score }) => score ?? Number.NaN)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    const other = await newVisitor()
    const elsewhere = await click(other, release.itemIds[46], release.itemIds[47])
    expect(places(await rank({ items, visitor: other, token: elsewhere, consent: 'granted' }))[0]).toBe(release.itemIds[50])
  })

  it('is the same by object as by token', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[16], release.itemIds[18])
    const items = release.itemIds.slice(0, 40)
    const [byToken, byObject] = [
      await rank({ items, visitor, token, consent: 'granted' }),
      await rank({ items, visitor, consent: 'granted' }),
    ]
    expect(places(byObject)).toEqual(places(byToken))
  })

  it('goes by the region’s list without consent, whoever it is', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[46])
    const items = [release.itemIds[46], release.itemIds[2], release.itemIds[1]]
    const stranger = await rank({ items })
    const denied = await rank({ items, visitor, token, consent: 'denied' })
    expect(stranger.rung).toBe('region-list')
    expect(denied.items).toEqual(stranger.items)
    expect(denied.cohort).toBeNull()
  })

  it('names each item once, and those that it does not know last, as they came', async () => {
    const answer = await rank({ items: ['nobody-2', release.itemIds[5], 'nobody-1', release.itemIds[5]] })
    expect(answer.items).toEqual([
      { id: release.itemIds[5], score: expect.any(Number), position: 1 },
      { id: 'nobody-2', score: null, position: 2 },
      { id: 'nobody-1', score: null, position: 3 },
    ])
  })

  it('gives back the caller’s order without any release', async () => {
    await bindings.RELEASES.delete('channel')
    cold()
    const answer = await rank({ items: ['b', 'a'] })
    expect(answer).toMatchObject({
      release: null,
      rung: 'bundled',
      items: [
        { id: 'b', score: null },
        { id: 'a', score: null },
      ],
    })
  })

  it('takes hundreds of items, and says what it cannot take', async () => {
    const many = Array.from({ length: 500 }, (_, i) => release.itemIds[i] ?? `nobody-${i}`)
    expect((await rank({ items: many })).items).toHaveLength(500)
    for (const [body, field] of [
      [{ items: [...many, 'one-more'] }, 'items'],
      [{ items: [] }, 'items'],
      [{}, 'items'],
      [{ items: ['a'], limit: 3 }, 'limit'],
      [{ items: ['a', 5] }, 'items[1]'],
    ] as const) {
      const refused = await send(body)
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({ field })
    }
    expect((await send({ items: ['a'], writeKey: 'other' })).status).toBe(403)
    expect((await ask('/v1/rank')).status).toBe(405)
  })
})

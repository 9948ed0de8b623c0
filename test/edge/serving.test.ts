import { listDurableObjectIds } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import { readVisitor } from '../../workers/objects/visitor-client.ts'
import { act, ask, click, cold, FR, idsOf, newVisitor, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, GROUP, groupOf, type TinyRelease } from './fixtures/tiny-release.ts'

let release: TinyRelease
let id: string[]

beforeAll(async () => {
  release = await buildTinyRelease()
  id = release.itemIds
})
beforeEach(() => publish(release))

describe('home', () => {
  it('is the region’s list for a stranger, and says so', async () => {
    const answer = await recommendations()
    expect(answer).toMatchObject({ release: release.entry.release, rung: 'region-list', cohort: null, region: 'GB' })
    expect(answer.items).toHaveLength(20)
    expect(answer.items[0]).toMatchObject({
      position: 1,
      source: 'region-list',
      reasons: [{ code: 'popular-in', region: 'GB' }],
      values: { title: `Title of ${answer.items[0].id}`, category: 'Garden' },
    })
  })

  it('differs after three clicks, and moves with the next one', async () => {
    const visitor = await newVisitor()
    const before = await recommendations({ visitor, consent: 'granted' })
    await click(visitor, id[31], id[33], id[35])
    const after = await recommendations({ visitor, consent: 'granted' })
    expect(idsOf(after)).not.toEqual(idsOf(before))
    expect(after.cohort).toBe(2)
    expect(after.items[0].reasons[0]).toMatchObject({ code: 'similar-to' })
    const ofGroup = (answer: typeof after, group: number): number =>
      answer.items.slice(0, 5).filter((item) => groupOf(id.indexOf(item.id)) === group).length
    expect(ofGroup(after, 2)).toBeGreaterThanOrEqual(3)
    await click(visitor, id[50])
    const moved = await recommendations({ visitor, consent: 'granted' })
    expect(ofGroup(moved, 3)).toBeGreaterThan(ofGroup(after, 3))
  })

  it('ranks the same from the token as from the object', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, id[31], id[33], id[4])
    const fromObject = await recommendations({ visitor, consent: 'granted' })
    const broken = { get: () => expect.unreachable('a token needs no object'), idFromName: () => expect.unreachable() }
    const fromToken = await recommendations({ visitor, token }, { changes: { VISITORS: broken as unknown as Env['VISITORS'] } })
    expect(idsOf(fromToken)).toEqual(idsOf(fromObject))
    expect(fromToken.cohort).toBe(fromObject.cohort)
  })

  it('answers probabilities where the release is calibrated, in the same order', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, id[31], id[33], id[35])
    const plain = await recommendations({ visitor, token, limit: 60 })
    await publish(await buildTinyRelease({ change: (manifest) => ({ ...manifest, calibration: { slope: 1.1, intercept: -0.2 } }) }))
    const calibrated = await recommendations({ visitor, token, limit: 60 })
    expect(['onnx', 'reference']).toContain(calibrated.rung)
    expect(idsOf(calibrated)).toEqual(idsOf(plain))
    const scores = calibrated.items.map(({ score }) => score)
    expect(scores).not.toEqual(plain.items.map(({ score }) => score))
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...scores)).toBeLessThan(1)
    const ranked = calibrated.items.filter(({ source }) => source === 'neighbours').map(({ score }) => score)
    expect(ranked.reduce((sum, score) => sum + score, 0)).toBeLessThan(1.5)
    // What fills the shelf up goes on downwards.
    expect(scores.slice(-5)).toEqual(scores.slice(-5).toSorted((a, b) => b - a))
  })

  it('shows a new item, marked as one, only to who has a history', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[1], id[2])
    const answer = await recommendations({ visitor, consent: 'granted', limit: 10 })
    const fresh = answer.items.filter(({ reasons }) => reasons.some(({ code }) => code === 'new'))
    expect(fresh.map((item) => item.id)).toEqual([id[GROUP - 1]])
    const stranger = await recommendations({ limit: 10 })
    expect(stranger.items.some(({ source }) => source === 'new')).toBe(false)
  })

  it('does not let one category fill the first ten', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[1], id[2], id[3])
    const answer = await recommendations({ visitor, consent: 'granted', limit: 10 })
    const garden = answer.items.filter(({ values, source }) => values.category === 'Garden' && source !== 'new')
    expect(garden.length).toBeLessThanOrEqual(4)
  })

  it('differs between countries, and follows a region that is asked for', async () => {
    const british = await recommendations()
    const french = await recommendations({}, { cf: FR })
    expect(idsOf(french)).not.toEqual(idsOf(british))
    expect(french.region).toBe('FR')
    expect(idsOf(await recommendations({ region: 'FR' }))).toEqual(idsOf(french))
    const elsewhere = await recommendations({}, { cf: { country: 'DE', continent: 'EU' } })
    expect(elsewhere).toMatchObject({ region: '@EU', rung: 'region-list' })
    expect(await recommendations({}, { cf: { country: 'BR', continent: 'SA' } })).toMatchObject({ region: '*', rung: 'global-list' })
  })
})

describe('consent and proof', () => {
  it.each([
    ['a denial', { consent: 'denied' }, {}],
    ['Global Privacy Control', { consent: 'granted' }, { 'sec-gpc': '1' }],
    ['no answer yet', { consent: 'unknown' }, {}],
  ])('with %s the answer is the region’s list and no object is made', async (_, body, headers) => {
    const visitor = await newVisitor()
    const plain = await recommendations()
    const before = await listDurableObjectIds(env.VISITORS)
    const answer = await recommendations({ visitor, ...body }, { headers })
    expect({ ...answer, recommId: '' }).toEqual({ ...plain, recommId: '' })
    expect(await listDurableObjectIds(env.VISITORS)).toHaveLength(before.length)
    await recommendations({ visitor, consent: 'granted' })
    expect(await listDurableObjectIds(env.VISITORS)).toHaveLength(before.length + 1)
  })

  it('denies what an earlier token would tell', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, id[31], id[33])
    const plain = await recommendations()
    const answer = await recommendations({ visitor, token, consent: 'denied' })
    expect({ ...answer, recommId: '' }).toEqual({ ...plain, recommId: '' })
  })

  it('opens nothing of another visitor', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, id[31], id[33])
    const other = await newVisitor()
    const forged = `${visitor.slice(0, -2)}${visitor.endsWith('AA') ? 'BB' : 'AA'}`
    const plain = await recommendations()
    for (const body of [
      { visitor: other, token },
      { visitor: forged, token },
      { visitor: forged },
      { visitor: 'user:someone' },
      { token },
      { visitor: other, token: `${token.slice(0, -2)}xx` },
    ]) {
      const answer = await recommendations({ consent: 'granted', ...body })
      expect({ ...answer, recommId: '' }).toEqual({ ...plain, recommId: '' })
    }
  })

  it('tells the history’s items to the visitor alone', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[31])
    const mine = await recommendations({ visitor, consent: 'granted' })
    expect(mine.items[0].reasons[0]).toEqual({ code: 'similar-to', item: id[31], title: `Title of ${id[31]}` })
    const stranger = await recommendations()
    const codes = new Set(stranger.items.flatMap(({ reasons }) => reasons.map(({ code }) => code)))
    expect(codes).toEqual(new Set(['popular-in']))
  })
})

describe('item pages and carts', () => {
  it('similar: neighbours of the item, without it, with the reason', async () => {
    const response = await ask(`/v1/items/${encodeURIComponent(id[3])}/similar?limit=5`)
    const { items } = await response.json<{ items: { id: string; reasons: unknown[] }[] }>()
    expect(items).toHaveLength(5)
    expect(items.map((item) => item.id)).not.toContain(id[3])
    for (const { id: similar, reasons } of items) {
      expect(groupOf(id.indexOf(similar))).toBe(0)
      expect(reasons[0]).toEqual({ code: 'similar-to', item: id[3], title: `Title of ${id[3]}` })
    }
  })

  it('bought-together and cart: what goes with the items, and by that reason', async () => {
    const together = await recommendations({ scenario: 'bought-together', item: id[20] })
    expect(together.rung).toBe('list-order')
    const scores = together.items.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(Math.min(...scores)).toBeGreaterThan(0)
    expect(new Set(idsOf(together))).toEqual(new Set([id[21], id[35]]))
    expect(together.items[0].reasons[0]).toMatchObject({ code: 'bought-with', item: id[20] })
    const cart = await recommendations({ scenario: 'cart', items: [id[20], id[21]] })
    expect(new Set(idsOf(cart))).toEqual(new Set([id[22], id[35], id[36]]))
  })

  it('cart: without items it is the one the visitor has filled', async () => {
    const visitor = await newVisitor()
    await act(visitor, [{ type: 'add_to_cart', item: id[20] }])
    const cart = await recommendations({ scenario: 'cart', visitor, consent: 'granted' })
    expect(new Set(idsOf(cart))).toEqual(new Set([id[21], id[35]]))
  })

  it('an item nobody knows is answered from the next rung', async () => {
    for (const scenario of ['similar', 'bought-together', 'cart']) {
      const answer = await recommendations({ scenario, items: ['no such item'] })
      expect(answer.rung).toBe('region-list')
      expect(answer.items.length).toBeGreaterThan(0)
    }
  })
})

describe('lists', () => {
  it('trending: what the overlay says of the region, then what was rising', async () => {
    await env.RELEASES.put(
      'overlay',
      JSON.stringify({ v: 1, at: 1, trending: { GB: [{ item: id[55], score: 1 }] }, unavailable: [], hidden: [] }),
    )
    const answer = await recommendations({ scenario: 'trending' })
    expect(answer.items[0]).toMatchObject({ id: id[55], source: 'trending', reasons: [{ code: 'trending-in', region: 'GB' }] })
    expect(answer.items).toHaveLength(20)
    const scores = answer.items.map(({ score }) => score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
  })

  it('recently-viewed: newest first', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[1], id[40], id[12])
    const answer = await recommendations({ scenario: 'recently-viewed', visitor, consent: 'granted' })
    expect(idsOf(answer)).toEqual([id[12], id[40], id[1]])
    expect(answer.items[0]).toMatchObject({ source: 'history', reasons: [{ code: 'viewed' }] })
  })
})

describe('what may be shown', () => {
  it('leaves out what is not available, hidden, sold out or excluded', async () => {
    const all = idsOf(await recommendations({ limit: 100 }))
    expect(all).not.toContain(id[7])
    expect(idsOf(await recommendations({ limit: 100, filter: { available: false } }))).toContain(id[7])
    await env.RELEASES.put('overlay', JSON.stringify({ v: 1, at: 1, trending: {}, unavailable: [all[0]], hidden: [all[1]] }))
    cold()
    const left = idsOf(await recommendations({ limit: 100, exclude: [all[2]] }))
    for (const gone of all.slice(0, 3)) expect(left).not.toContain(gone)
    expect(idsOf(await recommendations({ limit: 100, filter: { available: false } }))).toContain(all[0])
  })

  it('filters by category and price, and fills up from the catalogue', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[1], id[2])
    for (const body of [{}, { visitor, consent: 'granted' }]) {
      const answer = await recommendations({ ...body, limit: 30, filter: { category: ['Books', 'Toys'], minPrice: 40, maxPrice: 60 } })
      expect(answer.items.map(({ values }) => Number(values.price)).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 21 }, (_, i) => 40 + i),
      )
      for (const { values } of answer.items) expect(['Books', 'Toys']).toContain(values.category)
    }
  })

  it('leaves out what was bought where asked', async () => {
    const visitor = await newVisitor()
    const token = await act(visitor, [
      { type: 'click', item: id[16] },
      { type: 'purchase', items: [{ item: id[17] }] },
    ])
    for (const proof of [
      { visitor, consent: 'granted' },
      { visitor, token },
    ]) {
      expect(idsOf(await recommendations({ ...proof, limit: 100 }))).toContain(id[17])
      expect(idsOf(await recommendations({ ...proof, limit: 100, excludePurchased: true }))).not.toContain(id[17])
    }
  })

  it('pages through one list', async () => {
    const visitor = await newVisitor()
    await click(visitor, id[1], id[32], id[50])
    for (const body of [{ visitor, consent: 'granted' }, {}, { scenario: 'trending' }]) {
      const whole = await recommendations({ ...body, limit: 40 })
      const pages = await Promise.all([0, 8, 16, 24, 32].map((offset) => recommendations({ ...body, offset, limit: 8 })))
      expect(pages.flatMap(idsOf)).toEqual(idsOf(whole))
      expect(new Set(idsOf(whole)).size).toBe(40)
      expect(pages[1].items[0].position).toBe(9)
    }
  })
})

it('explains every score', async () => {
  const visitor = await newVisitor()
  await click(visitor, id[31])
  const answer = await recommendations({ visitor, consent: 'granted', explain: true })
  const { explain } = answer.items[0]
  expect(Object.keys(explain?.features ?? {})).toContain('lastSimilar')
  expect(explain?.sources.neighbours).toBeGreaterThan(0)
  const listed = await recommendations({ scenario: 'popular', explain: true })
  expect(listed.items[0].explain).toEqual({ features: {}, sources: { 'region-list': 1 } })
})

it('starts from an imported history, and remembers it', async () => {
  const hash = await visitorHash(env.ID_KEY, 'customer 12')
  await publish(await buildTinyRelease({ members: [{ visitor: hash, items: [32, 33, 34], deeds: [2, 0, 1], days: [0, 3, 9] }] }))
  const headers = { authorization: `Bearer ${env.ADMIN_KEY}` }
  const body = { visitor: 'user:customer 12', consent: 'granted' }
  const first = await recommendations(body, { headers })
  expect(first.cohort).toBe(2)
  const state = await readVisitor(env, { hash, eu: false })
  expect(state?.items.map((item) => [item.id, item.deed])).toEqual([
    [id[32], 2],
    [id[33], 0],
    [id[34], 1],
  ])
  expect(state?.purchased).toEqual([id[32]])
  expect(idsOf(await recommendations(body, { headers }))).toEqual(idsOf(first))
})

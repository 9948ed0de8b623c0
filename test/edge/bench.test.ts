import { beforeAll, describe, expect, it } from 'vitest'
import { NOW_HEADER } from '../../shared/schemas/recommendations.ts'
import { ask, GB, idsOf, newVisitor, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, type TinyRelease } from './fixtures/tiny-release.ts'

const BENCH = { BENCH: 'on' }
let release: TinyRelease
let events = 0

beforeAll(async () => {
  release = await buildTinyRelease()
  await publish(release)
})

const post = (path: string, body: object, changes = {}, headers = {}): Promise<Response> =>
  ask(path, { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }), headers, cf: GB }, changes)

async function clickAt(visitor: string, item: string, now: number, changes = {}): Promise<string> {
  const click = { id: `bench-${String(++events).padStart(8, '0')}`, type: 'click', item, at: now }
  const answer = await post('/v1/events', { visitor, consent: 'granted', events: [click] }, changes, { [NOW_HEADER]: String(now) })
  const { token } = await answer.json<{ token: string }>()
  return token
}

describe('without BENCH', () => {
  it('the scenario bench is unknown, as any other', async () => {
    const refused = await post('/v1/recommendations', { scenario: 'bench' })
    const unknown = await post('/v1/recommendations', { scenario: 'nonsense' })
    expect(refused.status).toBe(400)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(await refused.json()).toEqual(await unknown.json())
    expect((await post('/v1/recommendations', { scenario: 'home', again: true })).status).toBe(400)
    expect((await ask('/v1/recommendations?scenario=bench', { cf: GB }, BENCH)).status).toBe(400)
  })

  it('nobody says what time it is', async () => {
    const visitor = await newVisitor()
    const token = await clickAt(visitor, release.itemIds[3], Date.now() - 3_600_000)
    const ages = await recommendations({ visitor, token, consent: 'granted', explain: true }, { headers: { [NOW_HEADER]: '1' } })
    // Features are as of the clock: an hour since the click, whatever the header says.
    expect(ages.items[0].explain?.features.gap).toBeCloseTo(Math.log(2), 2)
  })
})

describe('scenario bench', () => {
  it('shows the ranking alone, without the current item, whatever the rules and the catalogue say', async () => {
    const visitor = await newVisitor()
    const now = Date.now()
    const [earlier, current] = [release.itemIds[7], release.itemIds[3]]
    await clickAt(visitor, earlier, now - 60_000, BENCH)
    const token = await clickAt(visitor, current, now, BENCH)
    const bench = { scenario: 'bench', visitor, token, consent: 'granted', limit: 100 }
    const answer = await recommendations(bench, { changes: BENCH })
    expect(idsOf(answer)).not.toContain(current)
    expect(idsOf(answer)).toContain(earlier)
    // Strictly as ranked: nothing was moved up or put off to another page.
    const scores = answer.items.map(({ score }) => score)
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
    expect(answer.items.some(({ source }) => source === 'new' || source === 'trending')).toBe(false)
    // The rules would take these out.
    const fenced = await recommendations({ ...bench, filter: { category: 'Nothing' } }, { changes: BENCH })
    expect(idsOf(fenced)).toEqual(idsOf(answer))
    const again = await recommendations({ ...bench, again: true }, { changes: BENCH })
    expect(idsOf(again)).toContain(current)
    const other = await recommendations({ ...bench, item: earlier }, { changes: BENCH })
    expect(idsOf(other)).toContain(current)
    expect(idsOf(other)).not.toContain(earlier)
  })

  it('ranks as of the time that the request says', async () => {
    const visitor = await newVisitor()
    const then = Date.UTC(2090, 0, 1)
    const token = await clickAt(visitor, release.itemIds[3], then, BENCH)
    const gapAfter = async (ms: number): Promise<number | undefined> => {
      const headers = { [NOW_HEADER]: String(then + ms) }
      const asked = { scenario: 'bench', visitor, consent: 'granted', explain: true }
      const [byToken, byObject] = [
        await recommendations({ ...asked, token }, { headers, changes: BENCH }),
        await recommendations(asked, { headers, changes: BENCH }),
      ]
      expect(byToken.items).toEqual(byObject.items)
      return byToken.items[0].explain?.features.gap
    }
    expect(await gapAfter(0)).toBe(0)
    expect(await gapAfter(600_000)).toBeCloseTo(Math.log1p(1 / 6), 3)
  })
})

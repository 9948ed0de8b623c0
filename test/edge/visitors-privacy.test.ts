import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { sign } from 'hono/jwt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { visitorHash } from '../../shared/pseudonym.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { coldStart } from '../../workers/releases/isolate.ts'
import { accepted, bearer, call, click, from, mint, post } from './events-client.ts'
import { buildTinyRelease, putEntries } from './fixtures/tiny-release.ts'

const USER = 'anna@shop.example'
let items: string[]
let token: string

/** A release that knows an imported order history of USER: items 20, 21 and 22. */
beforeEach(async () => {
  coldStart()
  const { entries, itemIds } = await buildTinyRelease({
    members: [{ visitor: await visitorHash(env.ID_KEY, USER), items: [20, 21, 22], deeds: [2, 2, 2], days: [1, 2, 3] }],
  })
  await putEntries(env.RELEASES, entries)
  items = itemIds
  token = await sign({ sub: USER, exp: Math.floor(Date.now() / 1000) + 600 }, env.IDENTITY_KEY, 'HS256')
})
afterEach(() => reset())

async function recommended(more: object, scenario = 'home'): Promise<RecommendationAnswer> {
  const response = await post('/v1/recommendations', { writeKey: env.WRITE_KEY, consent: 'granted', scenario, region: 'GB', ...more })
  return response.json()
}

/** An answer without what differs by chance. */
const shape = ({ recommId, ...answer }: RecommendationAnswer): object => ({ ...answer, recommId: typeof recommId })

/** The text with another character ten from its end. */
const changed = (text: string): string => text.slice(0, -10) + (text.at(-10) === 'A' ? 'B' : 'A') + text.slice(-9)

describe('a past, imported or clicked', () => {
  test('is open to its owner, and to nobody who merely names them', async () => {
    const own = await recommended({ visitor: token })
    expect(own.cohort).not.toBeNull()
    const visitor = await mint()
    const { token: memory } = await accepted(from(visitor, [click(items[20])]))
    expect((await recommended({ visitor })).cohort).not.toBeNull()

    const stranger = shape(await recommended({}))
    const hashes = await Promise.all([USER, visitor].map((id) => visitorHash(env.ID_KEY, id)))
    const forged = await sign({ sub: USER, exp: Math.floor(Date.now() / 1000) + 600 }, 'guessed key', 'HS256')
    const claims = [USER, `user:${USER}`, forged, changed(token), changed(visitor), ...hashes]
    for (const claim of claims) {
      for (const sent of [{ visitor: claim }, { visitor: claim, token: memory }, { token: memory }]) {
        // Not a reason, not a cohort, not even a different order gives away that there is a past.
        expect(shape(await recommended(sent))).toEqual(stranger)
        expect((await recommended(sent, 'recently-viewed')).items).toEqual([])
      }
    }
  })

  test('is gone after an erasure, and the import does not bring it back', async () => {
    await recommended({ visitor: token })
    expect((await recommended({ visitor: token }, 'recently-viewed')).items.map(({ id }) => id)).toEqual([20, 21, 22].map((i) => items[i]))
    expect((await call('/v1/visitors/me', { method: 'DELETE', ...bearer(token) })).status).toBe(200)
    expect(shape(await recommended({ visitor: token }))).toEqual(shape(await recommended({})))
    expect((await recommended({ visitor: token }, 'recently-viewed')).items).toEqual([])
  })

  test('is left alone while its owner says no, or says nothing new after a no', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click(items[20])]))
    const stranger = shape(await recommended({}))
    for (const consent of ['denied', 'unknown']) expect(shape(await recommended({ visitor, consent }))).toEqual(stranger)
    expect((await recommended({ visitor, consent: undefined })).cohort).not.toBeNull()
    await post('/v1/visitors/me/consent', { consent: 'denied' }, bearer(visitor))
    expect(shape(await recommended({ visitor, consent: undefined }))).toEqual(stranger)
  })
})

import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { Consent } from '../../shared/schemas/ids.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { HttpProblem, validate } from '../http/problem.ts'
import { bearerOf, consentOf, type Identity, identify, isAdmin } from '../identity/identify.ts'
import { mintVisitorId } from '../identity/visitor-id.ts'
import { eraseVisitor, readVisitor } from '../objects/visitor-client.ts'

export const visitorRoutes = new Hono<{ Bindings: Env }>()

const MintBody = v.strictObject({ writeKey: v.optional(v.string('must be a string')), consent: v.optional(Consent) })
const PRIVATE = { 'cache-control': 'private, no-store' }

/** Mints an id, only for who said yes: without consent there is nobody to name. */
visitorRoutes.post('/v1/visitors', async (c) => {
  const body = validate(MintBody, await jsonBody(c))
  await requireWriteKey(c, body.writeKey)
  if (consentOf(c.req.raw, body.consent) !== 'granted') return c.json({ visitor: null }, 200, PRIVATE)
  const { cf } = c.req.raw
  return c.json({ visitor: await mintVisitorId(c.env.ID_KEY, cf?.isEUCountry === '1') }, 201, PRIVATE)
})

/** Everything the edge holds about the visitor. */
visitorRoutes.get('/v1/visitors/me', async (c) => {
  const identity = await provenVisitor(c)
  const state = await readVisitor(c.env, identity)
  return c.json(
    { pseudonym: identity.hash, ...(state ?? { consent: 'unknown', items: [], createdAt: null, updatedAt: null }) },
    200,
    PRIVATE,
  )
})

/** Forgets the visitor at the edge, and says what remains and until when. */
visitorRoutes.delete('/v1/visitors/me', async (c) => {
  const identity = await provenVisitor(c)
  const { until } = await eraseVisitor(c.env, identity, Date.now())
  const remains = [
    { what: 'a mark under the pseudonym that refuses late events', until: new Date(until).toISOString() },
    { what: 'archived events under the pseudonym, until a night removes them', until: null },
  ]
  return c.json({ erased: true, pseudonym: identity.hash, remains }, 200, PRIVATE)
})

/** The visitor who shows their own id or identity token, or the one an admin names. @throws HttpProblem 401 */
async function provenVisitor(c: Context<{ Bindings: Env }>): Promise<Identity> {
  const named = (await isAdmin(c.env, c.req.raw)) ? c.req.query('visitor') : (bearerOf(c.req.raw) ?? undefined)
  const identity = await identify(c.env, c.req.raw, named)
  if (identity === null) throw new HttpProblem(401, 'send "Authorization: Bearer" with the visitor’s own id or identity token')
  return identity
}

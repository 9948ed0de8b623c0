import { type Context, Hono } from 'hono'
import {
  ConsentBody,
  type MergeAnswer,
  MergeBody,
  MintBody,
  type PreferencesAnswer,
  PreferencesBody,
} from '../../shared/schemas/visitors.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { orProblem } from '../http/or-problem.ts'
import { HttpProblem, validate } from '../http/problem.ts'
import { adminOf } from '../identity/admin.ts'
import { bearerOf } from '../identity/bearer.ts'
import { allowsAnything, consentOf, DENIED, deniesEverything, UNDECIDED } from '../identity/consent.ts'
import { type Identity, identify } from '../identity/identify.ts'
import { mintVisitorId, readVisitorId } from '../identity/visitor-id.ts'
import { countConsent, onRecord } from '../objects/audit-log-client.ts'
import { isFromEu } from '../objects/place.ts'
import { changeConsent, exportVisitor, keepPreferences } from '../objects/visitor-client.ts'
import { eraseEverywhere } from './erasure.ts'
import { mergeVisitors } from './merge.ts'

export const visitorRoutes = new Hono<{ Bindings: Env }>()

type Visiting = Context<{ Bindings: Env }>

const PRIVATE = { 'cache-control': 'private, no-store' }

/** Mints an id, only for who said yes: without consent there is nobody to name. */
visitorRoutes.post('/v1/visitors', async (c) => {
  const body = validate(MintBody, await jsonBody(c.req.raw))
  await requireWriteKey(c.env, c.req.raw, body.writeKey)
  if (!allowsAnything(consentOf(c.req.raw, body.consent))) return c.json({ visitor: null }, 200, PRIVATE)
  return c.json({ visitor: await mintVisitorId(c.env.ID_KEY, isFromEu(c.req.raw)) }, 201, PRIVATE)
})

/** Everything the edge holds about the visitor. */
visitorRoutes.get('/v1/visitors/me', async (c) => {
  const { identity, actor } = await provenVisitor(c)
  const { state, erasedUntil } = await orProblem(async () => {
    await onRecord(c.env, { action: 'export', actor, detail: { visitors: 1 } }, Date.now())
    return exportVisitor(c.env, identity)
  })
  const { v: _version, ...held } = state ?? { v: 2, consent: UNDECIDED, items: [], purchased: [], createdAt: null, updatedAt: null }
  return c.json({ pseudonym: identity.hash, ...held, ...(erasedUntil !== null && { erasedUntil }) }, 200, PRIVATE)
})

/** A no to personalisation empties what the edge remembers, at once; a yes lets it remember from now on. */
visitorRoutes.post('/v1/visitors/me/consent', async (c) => {
  const body = validate(ConsentBody, await jsonBody(c.req.raw))
  const { identity } = await provenVisitor(c, body.visitor)
  const said = consentOf(c.req.raw, body.consent)
  const consent = await orProblem(() => changeConsent(c.env, identity, said, Date.now()))
  c.executionCtx.waitUntil(countConsent(c.env, said, Date.now()))
  return c.json({ consent }, 200, PRIVATE)
})

/** What a visitor chose when asked what they like: answers begin from it until they have done something. */
visitorRoutes.put('/v1/visitors/me/preferences', async (c) => {
  const { visitor, consent, categories, items } = validate(PreferencesBody, await jsonBody(c.req.raw))
  const { identity } = await provenVisitor(c, visitor)
  const said = consentOf(c.req.raw, consent)
  const preferences = { categories, items }
  const kept = said.personalisation !== 'denied' && (await orProblem(() => keepPreferences(c.env, identity, preferences, said, Date.now())))
  return c.json({ preferences: kept ? preferences : null } satisfies PreferencesAnswer, 200, PRIVATE)
})

/** At login: what was done under an anonymous id becomes the user's, and the anonymous id is worth nothing any more. */
visitorRoutes.post('/v1/visitors/merge', async (c) => {
  const body = validate(MergeBody, await jsonBody(c.req.raw))
  await requireWriteKey(c.env, c.req.raw, body.writeKey)
  const from = (await readVisitorId(c.env.ID_KEY, body.from)) === null ? null : await identify(c.env, c.req.raw, body.from)
  if (from === null) throw new HttpProblem(401, 'from must be an id that POST /v1/visitors minted', 'from')
  const into = await identify(c.env, c.req.raw, body.into)
  if (into === null) throw new HttpProblem(401, 'into must be an identity token that the site’s backend signed', 'into')
  if (into.hash === from.hash) throw new HttpProblem(400, 'into must be another than from', 'into')
  if (deniesEverything(consentOf(c.req.raw, undefined))) return c.json({ consent: DENIED, items: 0 } satisfies MergeAnswer, 200, PRIVATE)
  return c.json(await orProblem(() => mergeVisitors(c.env, from, into, Date.now())), 200, PRIVATE)
})

/** Forgets the visitor, and says what remains and until when. */
visitorRoutes.delete('/v1/visitors/me', async (c) => {
  const { identity, actor } = await provenVisitor(c)
  return c.json(await orProblem(() => eraseEverywhere(c.env, identity, actor, Date.now())), 200, PRIVATE)
})

/** The visitor who shows their own id or identity token, or the one an admin names. @throws HttpProblem 401 */
async function provenVisitor(c: Visiting, inBody?: string): Promise<{ identity: Identity; actor: string }> {
  const admin = await adminOf(c.env, c.req.raw)
  const mayName = admin?.scopes.has('visitors') === true
  const named = mayName ? (c.req.query('visitor') ?? inBody) : (bearerOf(c.req.raw) ?? inBody)
  const identity = await identify(c.env, c.req.raw, named)
  if (identity === null) throw new HttpProblem(401, 'send "Authorization: Bearer" with the visitor’s own id or identity token')
  return { identity, actor: mayName ? `admin:${admin.name}` : 'visitor' }
}

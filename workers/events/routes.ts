import { Hono } from 'hono'
import type * as v from 'valibot'
import type { Scope } from '../../shared/admin-token.ts'
import { itemRecordOf, recordOf, type Seen, timeOf } from '../../shared/event-record.ts'
import { type Rejection, rejectedLine } from '../../shared/quarantine.ts'
import { UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import { readEvent } from '../../shared/read-event.ts'
import { type Event, type EventResult, type EventsAnswer, EventsBody, isMeantForCatalogue } from '../../shared/schemas/events.ts'
import type { ConsentChoice } from '../../shared/schemas/ids.ts'
import type { ItemRecord } from '../../shared/schemas/items.ts'
import { nowOf } from '../bench.ts'
import { applyChanges } from '../catalogue/apply-changes.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { networkOf } from '../http/network.ts'
import { firstIssue, HttpProblem, validate } from '../http/problem.ts'
import { countryOf, visitContext } from '../http/visit-context.ts'
import { adminOf, isAdmin } from '../identity/admin.ts'
import { consentOf, deniesEverything } from '../identity/consent.ts'
import { type Identity, identify } from '../identity/identify.ts'
import { sealMemory } from '../identity/memory-token.ts'
import { warn } from '../log.ts'
import { senderOf } from '../objects/crowd.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import { isFromEu } from '../objects/place.ts'
import type { Visited } from '../objects/visitor.ts'
import { memoryOf, recordVisit } from '../objects/visitor-client.ts'
import type { VisitorItem } from '../objects/visitor-state.ts'
import { isDeclaredBot, withinLimits } from './limits.ts'

export const eventRoutes = new Hono<{ Bindings: Env }>()

/** An event of others that has neither id nor time is the same one when it comes again within this long. */
const SAME_EVENT_MS = 3_600_000

const NOT_YOURS = 'changes the catalogue: send it from a backend, with the admin key or an admin token with the scope "catalogue"'

eventRoutes.post('/v1/events', async (c) => {
  const body = validate(EventsBody, await jsonBody(c.req.raw))
  const scope: Scope = body.events.every(isMeantForCatalogue) ? 'catalogue' : 'events'
  await requireWriteKey(c.env, c.req.raw, body.writeKey, scope)
  const now = nowOf(c.env, c.req.raw)
  // A backend speaks for all of its visitors from one address.
  const network = (await isAdmin(c.env, c.req.raw, scope)) ? null : await networkOf(c.env, c.req.raw, now)
  await withinLimits(c.env, c.req.raw, body.visitor ?? network, body.writeKey, scope)
  const cataloguer = body.events.some(isMeantForCatalogue) ? await cataloguerOf(c.env, c.req.raw) : null
  const results: EventResult[] = []
  const accepted: Event[] = []
  const changes: ItemRecord[] = []
  const rejected: (Rejection & { value: unknown })[] = []
  const salt = `${body.visitor ?? ''} ${Math.floor(now / SAME_EVENT_MS)}`
  body.events.forEach((value, i) => {
    const offset = `events[${i}]`
    const forCatalogue = isMeantForCatalogue(value)
    if (forCatalogue && cataloguer === null) {
      // Nor is it kept: nothing that a stranger says of the catalogue must ever be replayed.
      results.push({ id: idOf(value), status: 'rejected', field: `${offset}.type`, detail: `${offset}.type ${NOT_YOURS}` })
      return
    }
    const read = readEvent(value, salt)
    if (read.ok) {
      accepted.push(...read.events)
      if (read.change !== null) changes.push(itemRecordOf(read.change, now))
      results.push({ id: read.id, status: 'accepted' })
    } else {
      const issue = firstIssue(read.issue, offset)
      rejected.push({ value, offset, ...issue, ...(forCatalogue && { catalogue: true }) })
      results.push({ id: idOf(value), status: 'rejected', ...issue })
    }
  })
  if (cataloguer !== null) await applyChanges(c.env, cataloguer, changes, now)
  const actor = await actorOf(c.env, c.req.raw, { ...body, consent: body.consent ?? consentIn(accepted) }, accepted, now)
  const visitor = actor?.visited.consent.learning === 'granted' ? actor.identity.hash : null
  const { device, referrer } = visitor === null ? UNKNOWN_CONTEXT : visitContext(c.env, c.req.raw, body.referrer, now)
  const seen: Seen = { received: now, visitor, country: countryOf(c.req.raw), device, referrer }
  const lines = [
    ...accepted.map((event) => `${JSON.stringify(recordOf(event, seen))}\n`),
    ...rejected.map(({ value, ...reason }) => rejectedLine(value, seen, reason)),
  ]
  try {
    const eu = actor?.identity.eu ?? isFromEu(c.req.raw)
    if (lines.length > 0) await appendEvents(c.env, lines.join(''), now, { sender: senderOf(network, visitor), eu })
  } catch (error) {
    warn('event-log-failed', error)
    throw new HttpProblem(503, 'the event log did not take the events; send them again')
  }
  const token = actor?.visited.consent.personalisation === 'granted' && actor.known ? await sealed(c.env, actor, now) : null
  return c.json({ results, ...(token !== null && { token }) } satisfies EventsAnswer, 202, { 'cache-control': 'private, no-store' })
})

/** The name of who may change the catalogue; null for everyone else. */
async function cataloguerOf(env: Env, request: Request): Promise<string | null> {
  const admin = await adminOf(env, request)
  return admin?.scopes.has('catalogue') === true ? admin.name : null
}

async function sealed(env: Env, { identity, visited }: Actor, now: number): Promise<string | null> {
  try {
    return await sealMemory(env, identity, memoryOf(visited.items), now)
  } catch (error) {
    warn('seal-failed', error)
    return null
  }
}

/** Who did it, as far as they allow; `known` tells that their object has answered. */
type Actor = { identity: Identity; visited: Visited; known: boolean }

/**
 * Who the events belong to; null without proof, for a bot that says it is one, and where the request says no to everything:
 * then nothing is touched. The
 * object is told before the archive: only it knows of a no, or of an erasure, that another tab has not heard of.
 */
async function actorOf(
  env: Env,
  request: Request,
  body: v.InferOutput<typeof EventsBody>,
  events: readonly Event[],
  now: number,
): Promise<Actor | null> {
  const said = consentOf(request, body.consent)
  if (deniesEverything(said) || isDeclaredBot(request)) return null
  const identity = await identify(env, request, body.visitor)
  if (identity === null) return null
  // Newest first, as everywhere: of those at the same time, the one named last.
  const deeds = events.flatMap((event) => deedsOf(event, now)).reverse()
  const visited = await recordVisit(env, identity, deeds, said, now)
  if (visited !== null) return { identity, visited, known: true }
  // Out of reach: the request's own word counts, and no token is made of a past that is not known.
  return { identity, visited: { consent: said, items: [] }, known: false }
}

/** What the visitor's own words among the events say; the last counts. */
const consentIn = (events: readonly Event[]): ConsentChoice | undefined => events.findLast((event) => event.type === 'consent')?.consent

/** What a visitor's object remembers of an event. */
function deedsOf(event: Event, now: number): VisitorItem[] {
  const at = timeOf(event, now)
  if (event.type === 'purchase') return event.items.map(({ item }) => ({ id: item, deed: 2, at }))
  if (event.type === 'add_to_cart') return [{ id: event.item, deed: 1, at }]
  return event.type === 'click' || event.type === 'item_view' ? [{ id: event.item, deed: 0, at }] : []
}

function idOf(value: unknown): string | null {
  return value !== null && typeof value === 'object' && 'id' in value && typeof value.id === 'string' ? value.id.slice(0, 64) : null
}

import { Hono } from 'hono'
import * as v from 'valibot'
import { UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import { type Event, type EventRecord, type EventResult, EventSchema, type EventsAnswer, EventsBody } from '../../shared/schemas/events.ts'
import { nowOf } from '../bench.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { firstIssue, HttpProblem, validate } from '../http/problem.ts'
import { countryOf, visitContext } from '../http/visit-context.ts'
import { consentOf, deniesEverything } from '../identity/consent.ts'
import { type Identity, identify } from '../identity/identify.ts'
import { sealMemory } from '../identity/memory-token.ts'
import { warn } from '../log.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import type { Visited } from '../objects/visitor.ts'
import { memoryOf, recordVisit } from '../objects/visitor-client.ts'
import type { VisitorItem } from '../objects/visitor-state.ts'

export const eventRoutes = new Hono<{ Bindings: Env }>()

/** A client's clock may run ahead by this much, and an event be late by that much, before the edge's own time counts. */
const AHEAD_MS = 5 * 60_000
const LATE_MS = 72 * 3_600_000

eventRoutes.post('/v1/events', async (c) => {
  const body = validate(EventsBody, await jsonBody(c))
  await requireWriteKey(c, body.writeKey)
  const now = nowOf(c.env, c.req.raw)
  const results: EventResult[] = []
  const accepted: Event[] = []
  body.events.forEach((value, i) => {
    const parsed = v.safeParse(EventSchema, value)
    if (parsed.success) {
      accepted.push(parsed.output)
      results.push({ id: parsed.output.id, status: 'accepted' })
    } else {
      results.push({ id: idOf(value), status: 'rejected', ...firstIssue(parsed.issues[0], `events[${i}]`) })
    }
  })
  const actor = await actorOf(c.env, c.req.raw, body, accepted, now)
  const visitor = actor?.visited.consent.learning === 'granted' ? actor.identity.hash : null
  if (accepted.length > 0) {
    const { device, referrer } = visitor === null ? UNKNOWN_CONTEXT : visitContext(c.env, c.req.raw, body.referrer, now)
    const seen = { country: countryOf(c.req.raw), device, referrer }
    const lines = accepted.map((event) => `${JSON.stringify(recordOf(event, visitor, seen, now))}\n`).join('')
    try {
      await appendEvents(c.env, lines, now)
    } catch (error) {
      warn('event-log-failed', error)
      throw new HttpProblem(503, 'the event log did not take the events; send them again')
    }
  }
  const token = actor?.visited.consent.personalisation === 'granted' && actor.known ? await sealed(c.env, actor, now) : null
  return c.json({ results, ...(token !== null && { token }) } satisfies EventsAnswer, 202, { 'cache-control': 'private, no-store' })
})

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
 * Who the events belong to; null without proof, and where the request says no to everything: then nothing is touched. The
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
  if (deniesEverything(said)) return null
  const identity = await identify(env, request, body.visitor)
  if (identity === null) return null
  // Newest first, as everywhere: of those at the same time, the one named last.
  const deeds = events.flatMap((event) => deedsOf(event, now)).reverse()
  const visited = await recordVisit(env, identity, deeds, said, now)
  if (visited !== null) return { identity, visited, known: true }
  // Out of reach: the request's own word counts, and no token is made of a past that is not known.
  return { identity, visited: { consent: said, items: [] }, known: false }
}

/** What the request tells beside the events. */
type Seen = Pick<EventRecord, 'country' | 'device' | 'referrer'>

/** The event with what the edge knows of it; a time that cannot be is replaced by the time it came, and marked. */
function recordOf(event: Event, visitor: string | null, seen: Seen, now: number): EventRecord {
  const at = timeOf(event, now)
  const claimed = event.at !== undefined && event.at !== at ? { claimedAt: event.at } : {}
  // An order number names its buyer to the site: it stays out where the event is to be nobody's.
  const nameless = event.type === 'purchase' && visitor === null ? { order: undefined } : {}
  return { v: 1, ...event, ...nameless, at, ...claimed, received: now, visitor, ...seen }
}

const timeOf = ({ at }: Event, now: number): number => (at === undefined || at > now + AHEAD_MS || at < now - LATE_MS ? now : at)

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

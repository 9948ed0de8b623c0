import { Hono } from 'hono'
import * as v from 'valibot'
import { UNKNOWN_CONTEXT } from '../../shared/ranking/visit-context.ts'
import { type Event, type EventRecord, type EventResult, EventSchema, type EventsAnswer, EventsBody } from '../../shared/schemas/events.ts'
import { nowOf } from '../bench.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { firstIssue, HttpProblem, validate } from '../http/problem.ts'
import { countryOf, visitContext } from '../http/visit-context.ts'
import { consentOf, type Identity, identify } from '../identity/identify.ts'
import { openMemory, sealMemory } from '../identity/memory-token.ts'
import { warn } from '../log.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import { memoryOf, readVisitor, recordVisit } from '../objects/visitor-client.ts'
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
  const identity = await consentingVisitor(c.env, c.req.raw, body, now)
  if (accepted.length > 0) {
    const { device, referrer } = identity === null ? UNKNOWN_CONTEXT : visitContext(c.env, c.req.raw, body.referrer, now)
    const seen = { country: countryOf(c.req.raw), device, referrer }
    const lines = accepted.map((event) => `${JSON.stringify(recordOf(event, identity, seen, now))}\n`).join('')
    try {
      await appendEvents(c.env, lines, now)
    } catch (error) {
      warn('event-log-failed', error)
      throw new HttpProblem(503, 'the event log did not take the events; send them again')
    }
  }
  const token = identity === null ? null : await rememberedBy(c.env, identity, accepted, now)
  return c.json({ results, ...(token !== null && { token }) } satisfies EventsAnswer, 202, { 'cache-control': 'private, no-store' })
})

/**
 * Tells the visitor's object, and seals what it then remembers. Null when it was erased, or something fails: the events
 * stand in the log all the same.
 */
async function rememberedBy(env: Env, identity: Identity, events: readonly Event[], now: number): Promise<string | null> {
  // Newest first, as everywhere: of those at the same time, the one named last.
  const deeds = events.flatMap((event) => deedsOf(event, now)).reverse()
  const state = deeds.length > 0 ? await recordVisit(env, identity, deeds, now) : await readVisitor(env, identity)
  if (state?.consent !== 'granted') return null
  try {
    return await sealMemory(env, identity, memoryOf(state.items), now)
  } catch (error) {
    warn('seal-failed', error)
    return null
  }
}

/** Who the events belong to; null without proof or without consent: then nothing is kept that tells whose they are. */
async function consentingVisitor(
  env: Env,
  request: Request,
  body: v.InferOutput<typeof EventsBody>,
  now: number,
): Promise<Identity | null> {
  const consent = consentOf(request, body.consent)
  if (consent === 'denied') return null
  const identity = await identify(env, request, body.visitor)
  if (identity === null || consent === 'granted') return identity
  // The request says neither yes nor no: an earlier yes stands, in a token that is still good or in the object.
  if (body.token !== undefined && (await openMemory(env, identity, body.token, now)) !== null) return identity
  return (await readVisitor(env, identity))?.consent === 'granted' ? identity : null
}

/** What the request tells beside the events. */
type Seen = Pick<EventRecord, 'country' | 'device' | 'referrer'>

/** The event with what the edge knows of it; a time that cannot be is replaced by the time it came, and marked. */
function recordOf(event: Event, identity: Identity | null, seen: Seen, now: number): EventRecord {
  const at = timeOf(event, now)
  const claimed = event.at !== undefined && event.at !== at ? { claimedAt: event.at } : {}
  return { v: 1, ...event, at, ...claimed, received: now, visitor: identity?.hash ?? null, ...seen }
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

import { sign } from 'hono/jwt'
import type { Deed } from '../../../shared/ranking/release-view.ts'
import type { EventsAnswer } from '../../../shared/schemas/events.ts'
import { NOW_HEADER, type RecommendationAnswer } from '../../../shared/schemas/recommendations.ts'
import { continentOf } from '../../learn/lists.ts'
import { again } from '../../stores/again.ts'
import type { PlannedDeed, PlannedVisitor } from './plan.ts'

/** A Worker that can be asked, and what its site's backend would know. */
export type Edge = { url: string; writeKey: string; identityKey: string }

/** Ranks from the sealed token, as the SDK has it, or from the visitor's object. */
export type MemoryKind = 'token' | 'object'

export type Asked = { answer: RecommendationAnswer; ms: number }

const SEEDED_WITHIN_MS = 10_000
const EVENT_TYPES = ['click', 'add_to_cart', 'purchase'] as const satisfies Record<Deed, string>

/** One visitor's browser: says what they do and asks what to show, over HTTP and nothing else. */
export class VisitorClient {
  private readonly edge: Edge
  private readonly memory: MemoryKind
  private readonly visitor: string
  private token: string | undefined
  private sent = 0

  private constructor(edge: Edge, memory: MemoryKind, visitor: string) {
    this.edge = edge
    this.memory = memory
    this.visitor = visitor
  }

  /**
   * Arrives at the site: known ones with an identity token that its backend signs, others with an id that the edge mints.
   * Whoever has an imported history looks at a page first, which is when the edge takes that history in.
   */
  static async arrive(
    edge: Edge,
    memory: MemoryKind,
    { id, imported }: PlannedVisitor,
    at: number,
    country: string,
  ): Promise<VisitorClient> {
    const client = new VisitorClient(edge, memory, await proofOf(edge, id))
    if (imported) {
      await client.ask(at, country, null, true)
      await client.untilRemembered()
    }
    return client
  }

  /** @param at Unix seconds */
  async act({ item, deed, at, country }: Pick<PlannedDeed, 'item' | 'deed' | 'at' | 'country'>): Promise<void> {
    const type = EVENT_TYPES[deed]
    const what = type === 'purchase' ? { type, items: [{ item }] } : { type, item }
    const id = `replay-${String(++this.sent).padStart(8, '0')}`
    const { body } = await this.post('/v1/events', at, country, { events: [{ id, at: 1000 * at, ...what }] })
    const { results, token } = body as EventsAnswer
    if (results[0]?.status !== 'accepted' || token === undefined) throw new Error(`an event was not taken: ${JSON.stringify(results)}`)
    this.token = token
  }

  /** @param current not shown, unless `shown` @returns the answer, and how long it took to come, all of it */
  async ask(at: number, country: string, current: string | null, shown: boolean): Promise<Asked> {
    const { body, ms } = await this.post('/v1/recommendations', at, country, {
      scenario: 'bench',
      limit: 20,
      ...(current !== null && { item: current }),
      ...(shown && { again: true }),
      ...(this.memory === 'token' && this.token !== undefined && { token: this.token }),
      ...(country === '' && { region: '*' }),
    })
    return { answer: body as RecommendationAnswer, ms }
  }

  private async post(path: string, at: number, country: string, fields: object): Promise<{ body: unknown; ms: number }> {
    const { url, writeKey } = this.edge
    const continent = continentOf(country)
    const headers = {
      [NOW_HEADER]: String(1000 * at),
      'mf-cf-blob': JSON.stringify({ ...(country !== '' && { country }), ...(continent !== '' && { continent }) }),
    }
    const content = JSON.stringify({ writeKey, visitor: this.visitor, consent: 'granted', ...fields })
    return send(new URL(path, url), { method: 'POST', headers, body: content })
  }

  /** The history is taken in behind the answer; in life, seconds pass before the first click. */
  private async untilRemembered(): Promise<void> {
    const until = Date.now() + SEEDED_WITHIN_MS
    const headers = { authorization: `Bearer ${this.visitor}` }
    for (;;) {
      const { body } = await send(new URL('/v1/visitors/me', this.edge.url), { headers })
      if (((body as { items?: unknown[] }).items?.length ?? 0) > 0) return
      if (Date.now() > until) throw new Error('the edge did not take in an imported history')
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

async function proofOf({ url, writeKey, identityKey }: Edge, id: string | null): Promise<string> {
  if (id !== null) return sign({ sub: id, exp: Math.floor(Date.now() / 1000) + 86_400 }, identityKey, 'HS256')
  const asked = JSON.stringify({ writeKey, consent: 'granted' })
  const { body } = await send(new URL('/v1/visitors', url), { method: 'POST', body: asked })
  const { visitor } = body as { visitor: string | null }
  if (visitor === null) throw new Error('the edge minted no visitor id')
  return visitor
}

/** Whatever is sent here the edge may take twice: event ids, item and time stay the same. @throws when the edge refuses it */
async function send(url: URL, init: RequestInit): Promise<{ body: unknown; ms: number }> {
  const { ok, status, text, ms } = await again(async () => {
    const start = performance.now()
    const answer = await fetch(url, init)
    return { ok: answer.ok, status: answer.status, text: await answer.text(), ms: performance.now() - start }
  })
  if (!ok) throw new Error(`${url.pathname} answered ${status}: ${text}`)
  return { body: JSON.parse(text), ms }
}

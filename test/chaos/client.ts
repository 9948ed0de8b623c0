import { setTimeout } from 'node:timers/promises'
import type { Shopper } from '../../batch/edge-bench/shoppers.ts'
import { randomStream } from '../../shared/random.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import { ADMIN, WRITE_KEY } from './chaos-edge.ts'
import type { Judge } from './judge.ts'
import type { Ledger } from './ledger.ts'

/** How many answers were whole, and how many wrong, by what was wrong. */
export type Tally = { asked: number; whole: number; errors: Map<string, number> }

export const newTally = (): Tally => ({ asked: 0, whole: 0, errors: new Map() })
export const errorsOf = ({ errors }: Tally): number => [...errors.values()].reduce((sum, count) => sum + count, 0)

export type Load = {
  /** Requests in all. */
  requests: number
  /** How many of them at once. */
  connections: number
  /** Names the events in the ledger. */
  tag: string
  /** A connection that is refused or breaks is no error, and the request is made again: there is no server for a while. */
  restarts?: true
  /** Goes on until then instead of ending after `requests`. */
  until?: AbortSignal
  /** Only events, or only what is read. */
  only?: 'events' | 'reads'
  /** Answers must be of the release that is live. */
  meant?: true
  /** Also asks for what waits to be written out. */
  flushes?: true
}

type Asked = {
  path: string
  method: 'GET' | 'POST'
  body?: object
  headers?: Record<string, string>
  again?: boolean
  judge: (status: number, text: string) => Verdict
}
type Verdict = { error: string } | 'whole'

/** Longer than an answer ever takes, shorter than what is slow on purpose. */
const PATIENCE_MS = 4000
const RESTART_MS = 30_000
/** As many events of one visitor as a person may do, for the night. */
const EVENTS_A_VISITOR = 150

/** Visitors who browse and buy, as many at once as a load says, drawn by a seed. */
export class Client {
  private readonly url: string
  private readonly judge: Judge
  private readonly ledger: Ledger
  private readonly shoppers: readonly Shopper[]
  private readonly items: readonly string[]
  private readonly random: () => number
  private visitor: Promise<string> | null = null
  private left = 0
  private sent = 0

  constructor(url: string, judge: Judge, ledger: Ledger, shoppers: readonly Shopper[], items: readonly string[], seed: number) {
    this.url = url
    this.judge = judge
    this.ledger = ledger
    this.shoppers = shoppers
    this.items = items
    this.random = randomStream(seed)
  }

  /** @param between is called before each request with its number */
  async load(load: Load, between: (n: number) => Promise<void> | void = () => undefined): Promise<Tally> {
    const tally = newTally()
    const connection = async (): Promise<void> => {
      while (load.until === undefined ? tally.asked < load.requests : !load.until.aborted) {
        const n = tally.asked++
        await between(n)
        const verdict = await this.answered(await this.draw(load), load)
        if (verdict === 'whole') tally.whole++
        else tally.errors.set(verdict.error, (tally.errors.get(verdict.error) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: load.connections }, connection))
    return tally
  }

  private async answered(asked: Asked, { restarts, until }: Load): Promise<Verdict> {
    const deadline = Date.now() + RESTART_MS
    let repeated = false
    for (;;) {
      const begun = performance.now()
      try {
        const answer = await fetch(this.url + asked.path, {
          method: asked.method,
          headers: { 'content-type': 'text/plain', ...asked.headers },
          signal: AbortSignal.timeout(PATIENCE_MS),
          ...(asked.body !== undefined && { body: JSON.stringify({ writeKey: WRITE_KEY, ...asked.body }) }),
        })
        const text = await answer.text()
        const verdict = asked.judge(answer.status, text)
        // Now and then a client does not learn that it was answered.
        if (asked.again && !repeated) repeated = true
        else return verdict
      } catch (error) {
        const late = performance.now() - begun > PATIENCE_MS - 100
        if (!restarts) return { error: late ? `no answer within ${PATIENCE_MS / 1000} s` : `no answer: ${reasonOf(error)}` }
      }
      if (Date.now() > deadline) return { error: 'no answer long after the restart' }
      // The load ended, and with it perhaps the server: what was not acknowledged is nobody's loss.
      if (until?.aborted) return 'whole'
      await setTimeout(20)
    }
  }

  private async draw({ tag, only, flushes, restarts, meant }: Load): Promise<Asked> {
    const kind = this.random()
    if (flushes && kind < 0.05) return this.flush()
    if (only === 'events' || (only === undefined && kind < 0.3)) return this.events(tag, restarts === true)
    return this.read(meant)
  }

  private read(meant = false): Asked {
    const kind = this.random()
    const limit = 20
    const whole = (length: number, exactly: boolean) => judged(200, (text) => this.judge.slate(text, { length, exactly, meant }))
    const item = this.items[Math.floor(this.random() * this.items.length)]
    const { visitor, token } = this.shoppers[Math.floor(this.random() * this.shoppers.length)]
    if (kind < 0.4)
      return { path: '/v1/recommendations', method: 'POST', body: { visitor, token, consent: 'granted', limit }, judge: whole(limit, true) }
    if (kind < 0.55)
      return { path: '/v1/recommendations', method: 'POST', body: { visitor, consent: 'granted', limit }, judge: whole(limit, true) }
    if (kind < 0.7) return { path: `/v1/items/${item}/similar?limit=${limit}`, method: 'GET', judge: whole(limit, false) }
    if (kind < 0.8) return { path: '/v1/lists/GB/popular', method: 'GET', judge: whole(50, false) }
    if (kind < 0.9) return { path: `/v1/latest?limit=${limit}`, method: 'GET', judge: whole(limit, true) }
    const ids = Array.from({ length: 30 }, (_, i) => this.items[(Math.floor(kind * 1e6) + 7 * i) % this.items.length])
    return {
      path: '/v1/rank',
      method: 'POST',
      body: { visitor, token, consent: 'granted', items: ids },
      judge: judged(200, (text) => this.judge.ranked(text, ids)),
    }
  }

  /** A few events of one visitor, each about an item of its own. */
  private async events(tag: string, restarts: boolean): Promise<Asked> {
    const visitor = await this.someone(restarts)
    const count = 1 + Math.floor(this.random() * 3)
    const items: string[] = []
    const events = Array.from({ length: count }, () => {
      const id = `chaos-${tag}-${String(++this.sent).padStart(7, '0')}`
      const item = this.ledger.item(tag)
      items.push(item)
      if (this.random() < 0.8) return { id, type: 'click', item }
      const other = this.ledger.item(tag)
      items.push(other)
      return { id, type: 'purchase', items: [{ item }, { item: other }] }
    })
    return {
      path: '/v1/events',
      method: 'POST',
      body: { visitor, consent: 'granted', events },
      again: this.random() < 0.05,
      judge: (status, text) => {
        return judged(202, (answer) => {
          const { results }: EventsAnswer = JSON.parse(answer)
          if (results.length !== count || results.some((result) => result.status !== 'accepted')) return `events not taken: ${answer}`
          this.ledger.acknowledge(tag, items)
          return null
        })(status, text)
      },
    }
  }

  private flush(): Asked {
    return { path: '/v1/admin/flush', method: 'POST', headers: ADMIN, judge: judged(200, () => null) }
  }

  /** Someone who has not done more yet than a person can. */
  private someone(restarts: boolean): Promise<string> {
    if (this.visitor === null || --this.left < 0) {
      this.left = EVENTS_A_VISITOR / 4
      this.visitor = this.mint(restarts).catch((error: unknown) => {
        this.visitor = null
        throw error
      })
    }
    return this.visitor
  }

  private async mint(restarts: boolean): Promise<string> {
    for (const deadline = Date.now() + RESTART_MS; ; await setTimeout(20)) {
      try {
        const body = JSON.stringify({ writeKey: WRITE_KEY, consent: 'granted' })
        const answer = await fetch(`${this.url}/v1/visitors`, { method: 'POST', body, signal: AbortSignal.timeout(PATIENCE_MS) })
        const { visitor } = (await answer.json()) as { visitor: string }
        return visitor
      } catch (error) {
        if (!restarts || Date.now() > deadline) throw error
      }
    }
  }
}

const judged =
  (wanted: number, wrongWith: (text: string) => string | null) =>
  (status: number, text: string): Verdict => {
    if (status !== wanted) return { error: `status ${status}` }
    try {
      const wrong = wrongWith(text)
      return wrong === null ? 'whole' : { error: wrong }
    } catch (error) {
      return { error: `not to be read: ${reasonOf(error)}` }
    }
  }

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause)
}

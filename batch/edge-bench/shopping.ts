import { Agent, request } from 'node:http'
import { randomStream } from '../../shared/random.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { doJobs } from '../processes.ts'
import { type Editions, judge } from './judge-answer.ts'
import { type Shopper, WRITE_KEY, zipf } from './shoppers.ts'

/** A shopper, and what they have clicked. */
export type Arrived = Shopper & { own: string[] }

export type Shopping =
  | { arrive: readonly Arrived[]; url: string; items: readonly string[]; editions: Editions }
  /** So many requests at once, each answered before the next. */
  | { seconds: number; connections: number }
  /** So many requests a second, evenly, whatever came of those before. */
  | { seconds: number; rate: number }

/** What is counted, with the first of them in words. */
export type Findings = { count: number; first: string[] }

/** What came of load, request by request, in the order of the answers. */
export type Trace = {
  seconds: number
  /** Unix milliseconds of the answer, and how long it took. */
  at: Float64Array
  ms: Float32Array
  /** Index in `releases`; -1 where an answer names none. */
  release: Int16Array
  releases: string[]
  clicks: number
  /** Clicks whose answer brought no new token. */
  withoutToken: Findings
  errors: Findings
  mixed: Findings
  fallbacks: Findings
}

/** Of all requests; the rest are recommendations with the token. */
const SHARES = { click: 0.05, list: 0.05, similar: 0.05, object: 0.1 }
const SOCKETS = 64
/** So many requests without an answer, and the server is not keeping up with what was measured to be possible. */
const MOST_WAITING = 2000
const TICK_MS = 1
const TOLD = 5

type Visiting = { visitor: string; token: string; own: Set<string>; shown: string[] }

let url = ''
let editions: Editions = new Map()
let shoppers: Visiting[] = []
let drawShopper: () => Visiting
let drawItem: () => string
const random = randomStream(4)
let clicked = 0

const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, scheduling: 'lifo' })

type Answered = { status: number; text: string }

const send = (method: string, path: string, body?: object): Promise<Answered> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? undefined : JSON.stringify({ writeKey: WRITE_KEY, consent: 'granted', ...body })
    const headers = text === undefined ? {} : { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) }
    const sent = request(url + path, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The server closes connections that rest for some seconds, perhaps just as one is used again: Node's documentation asks
      // for another try then. Nothing was answered, and an event that comes twice counts once.
      if (sent.reusedSocket && error.code === 'ECONNRESET') send(method, path, body).then(resolve, reject)
      else reject(error)
    })
    sent.end(text)
  })

/** A load under way. */
class Run {
  private readonly at: number[] = []
  private readonly ms: number[] = []
  private readonly release: number[] = []
  private readonly indices = new Map<string, number>()
  private readonly found = { errors: none(), mixed: none(), fallbacks: none(), withoutToken: none() }
  private clicks = 0

  /** Sends one request, and judges what comes. Never throws: what goes wrong is counted. */
  async one(): Promise<void> {
    const drawn = random()
    const { click, list, similar, object } = SHARES
    if (drawn < click) return this.click()
    if (drawn < click + list) return this.asked('GET', '/v1/lists/GB/popular')
    if (drawn < click + list + similar) return this.asked('GET', `/v1/items/${encodeURIComponent(drawItem())}/similar`)
    const shopper = drawShopper()
    const { visitor, token } = shopper
    return this.asked('POST', '/v1/recommendations', drawn < click + list + similar + object ? { visitor } : { visitor, token }, shopper)
  }

  trace(seconds: number): Trace {
    return {
      seconds,
      at: Float64Array.from(this.at),
      ms: Float32Array.from(this.ms),
      release: Int16Array.from(this.release),
      releases: [...this.indices.keys()],
      clicks: this.clicks,
      ...this.found,
    }
  }

  private async asked(method: string, path: string, body?: object, shopper?: Visiting): Promise<void> {
    const answer = await this.answered<RecommendationAnswer>(method, path, body)
    if (answer === null) return
    this.release.push(this.indexOf(answer.release))
    const verdict = judge(answer, editions, shopper?.own ?? new Set())
    if (verdict !== null && 'mixed' in verdict) note(this.found.mixed, verdict.mixed)
    else if (verdict !== null) note(this.found.fallbacks, verdict.fallback)
    if (shopper !== undefined) shopper.shown = answer.items.map(({ id }) => id)
  }

  /** One after the other clicks one of the items that they were shown; what they ask for next goes by the new token. */
  private async click(): Promise<void> {
    const shopper = shoppers[clicked++ % shoppers.length]
    const { visitor, token, shown } = shopper
    const item = shown.length > 0 ? shown[Math.floor(random() * shown.length)] : drawItem()
    shopper.own.add(item)
    this.clicks++
    const event = { id: `shopping-${process.pid}-${clicked}`, type: 'click', item }
    const answer = await this.answered<EventsAnswer>('POST', '/v1/events', { visitor, token, events: [event] })
    if (answer === null) return
    this.release.push(-1)
    if (answer.results[0]?.status !== 'accepted') note(this.found.errors, `a click was not taken: ${JSON.stringify(answer.results)}`)
    if (answer.token === undefined || answer.token === token) note(this.found.withoutToken, 'a click brought no new token')
    else shopper.token = answer.token
  }

  private async answered<T>(method: string, path: string, body?: object): Promise<T | null> {
    const start = performance.now()
    try {
      const { status, text } = await send(method, path, body)
      if (status < 200 || status > 299) throw new Error(`${status}: ${text.slice(0, 200)}`)
      const answer: T = JSON.parse(text)
      this.at.push(Date.now())
      this.ms.push(performance.now() - start)
      return answer
    } catch (error) {
      note(this.found.errors, `${method} ${path}: ${error instanceof Error ? error.message : String(error)}`)
      return null
    }
  }

  private indexOf(release: string | null): number {
    if (release === null) return -1
    const known = this.indices.get(release)
    if (known !== undefined) return known
    this.indices.set(release, this.indices.size)
    return this.indices.size - 1
  }
}

const none = (): Findings => ({ count: 0, first: [] })

function note(findings: Findings, text: string): void {
  findings.count++
  if (findings.first.length < TOLD) findings.first.push(text)
}

async function closedLoop(run: Run, connections: number, seconds: number): Promise<void> {
  const until = performance.now() + 1000 * seconds
  const connection = async (): Promise<void> => {
    while (performance.now() < until) await run.one()
  }
  await Promise.all(Array.from({ length: connections }, connection))
}

/** @throws where the server falls behind by MOST_WAITING requests */
async function openLoop(run: Run, rate: number, seconds: number): Promise<void> {
  const begun = performance.now()
  const total = Math.round(rate * seconds)
  let sent = 0
  let waiting = 0
  while (sent < total || waiting > 0) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * rate))
    for (; sent < due; sent++) {
      waiting++
      void run.one().finally(() => waiting--)
    }
    if (waiting > MOST_WAITING)
      throw new Error(
        `${waiting} requests wait for an answer at ${Math.round(rate)} a second: less is possible now than was measured at first; run it on a quiet machine`,
      )
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
}

async function shop(job: Shopping): Promise<Trace> {
  const run = new Run()
  const start = performance.now()
  if ('arrive' in job) {
    ;({ url, editions } = job)
    shoppers = job.arrive.map(({ visitor, token, own }) => ({ visitor, token, own: new Set(own), shown: [] }))
    drawShopper = zipf(shoppers, 2)
    drawItem = zipf(job.items, 3)
  } else if ('rate' in job) await openLoop(run, job.rate, job.seconds)
  else await closedLoop(run, job.connections, job.seconds)
  return run.trace((performance.now() - start) / 1000)
}

doJobs(shop)

import { setTimeout } from 'node:timers/promises'
import pRetry, { AbortError } from 'p-retry'

export type RestOptions = {
  /** `https://api.cloudflare.com/client/v4/accounts/<id>`, or a dev server's `/cdn-cgi/local/explorer/api`. */
  baseUrl: string
  /** Null for the dev server, which asks for none. */
  token: string | null
  headers?: Record<string, string>
  /** How often a call that may succeed later is tried again, and the first pause in ms; pauses double, with jitter. */
  retries?: number
  firstPauseMs?: number
}

/** The envelope of every JSON answer of the API. */
export type Envelope<T> = {
  success: boolean
  result: T
  errors?: { message?: string }[]
  result_info?: { cursor?: string; is_truncated?: string | boolean }
}

type Call = { method: string; path: string; body?: string | Uint8Array<ArrayBuffer>; contentType?: string }

const LONGEST_CALL_MS = 120_000
/** The API shuts out a caller above its rate limit for five minutes. */
const LONGEST_WAIT_MS = 300_000

/** Calls the API; retries what may pass (429, 5xx, a broken or cut-off answer), honouring Retry-After, and nothing else. */
export class RestClient {
  readonly #options: Required<RestOptions>

  constructor(options: RestOptions) {
    this.#options = { headers: {}, retries: 6, firstPauseMs: 500, ...options }
  }

  /** The answer's body; null for 404. @throws Error with one line that says what to do */
  bytes(method: string, path: string, body?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    const call = { method, path, ...(body === undefined ? {} : { body, contentType: 'application/octet-stream' }) }
    return this.#send(call, async (answer) => (answer.status === 404 ? null : new Uint8Array(await answer.arrayBuffer())))
  }

  /** A call whose answer is the API's JSON envelope. @throws Error unless it reports success */
  json<T>(method: string, path: string, body?: unknown): Promise<Envelope<T>> {
    const call = { method, path, ...(body === undefined ? {} : { body: JSON.stringify(body), contentType: 'application/json' }) }
    return this.#send(call, async (answer) => {
      if (answer.status === 404) throw new AbortError(`${method} ${path}: not found; check the account, the namespace and the bucket`)
      const envelope = (await answer.json()) as Envelope<T>
      if (!envelope.success)
        throw new AbortError(`${method} ${path}: ${envelope.errors?.[0]?.message ?? 'the API reports no success and no reason'}`)
      return envelope
    })
  }

  async #send<T>({ method, path, body, contentType }: Call, read: (answer: Response) => Promise<T>): Promise<T> {
    const { baseUrl, token, headers: own, retries, firstPauseMs } = this.#options
    const headers = new Headers(token === null ? own : { ...own, authorization: `Bearer ${token}` })
    if (contentType !== undefined) headers.set('content-type', contentType)
    const attempt = async (): Promise<T> => {
      const signal = AbortSignal.timeout(LONGEST_CALL_MS)
      const answer = await fetch(`${baseUrl}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body }) })
      if (answer.ok || answer.status === 404) return read(answer)
      const line = `${method} ${path}: ${answer.status} ${await messageOf(answer)}`
      if (answer.status !== 429 && answer.status < 500) throw new AbortError(`${line}${adviceFor(answer.status)}`)
      await setTimeout(retryAfterMs(answer.headers.get('retry-after')))
      throw new Error(line)
    }
    try {
      return await pRetry(attempt, { retries, minTimeout: firstPauseMs, maxTimeout: 30_000, randomize: true })
    } catch (error) {
      // What fetch itself throws says neither what was called nor, but in its cause, why it failed.
      if (error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError)
        throw new Error(`${method} ${baseUrl}${path}: ${reasonOf(error)}; is it up, and reachable from here?`, { cause: error })
      throw error
    }
  }
}

const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code) : error.message

async function messageOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  const short = text.slice(0, 200).replaceAll(/\s+/g, ' ')
  try {
    const envelope: { errors?: { message?: string }[] } = JSON.parse(text)
    return envelope.errors?.[0]?.message ?? short
  } catch {
    return short
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return ' (does CLOUDFLARE_API_TOKEN allow editing Workers KV and R2 of this account?)'
  return ''
}

/** Seconds or an HTTP date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : 1000 * seconds
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LONGEST_WAIT_MS)
}

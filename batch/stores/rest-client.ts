import { setTimeout } from 'node:timers/promises'
import pRetry, { AbortError } from 'p-retry'

export type RestOptions = {
  /** `https://api.cloudflare.com/client/v4/accounts/<id>`, or a dev server's `/cdn-cgi/local/explorer/api`. */
  baseUrl: string
  /** Null for the dev server, which asks for none. */
  token: string | null
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

/** Calls the API; retries what may pass (429, 5xx, a broken connection), honouring Retry-After, and nothing else. */
export class RestClient {
  private readonly options: Required<RestOptions>

  constructor(options: RestOptions) {
    this.options = { retries: 6, firstPauseMs: 500, ...options }
  }

  /** The answer as it came; 404 is an answer too. @throws Error with one line that says what to do */
  async call(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, contentType?: string): Promise<Response> {
    const { baseUrl, token, retries, firstPauseMs } = this.options
    const headers = new Headers(token === null ? {} : { authorization: `Bearer ${token}` })
    if (contentType !== undefined) headers.set('content-type', contentType)
    return pRetry(
      async () => {
        const answer = await fetch(`${baseUrl}${path}`, { method, headers, ...(body === undefined ? {} : { body }) })
        if (answer.ok || answer.status === 404) return answer
        const line = `${method} ${path}: ${answer.status} ${await messageOf(answer)}`
        if (answer.status !== 429 && answer.status < 500) throw new AbortError(`${line}${adviceFor(answer.status)}`)
        const pause = retryAfterMs(answer.headers.get('retry-after'))
        if (pause > 0) await setTimeout(pause)
        throw new Error(line)
      },
      {
        retries,
        minTimeout: firstPauseMs,
        maxTimeout: 30_000,
        randomize: true,
        shouldRetry: ({ error }) => !(error instanceof AbortError),
      },
    )
  }

  /** A call whose answer is the API's JSON envelope. @throws Error unless it reports success */
  async json<T>(method: string, path: string, body?: unknown): Promise<Envelope<T>> {
    const { retries, firstPauseMs } = this.options
    return pRetry(
      async () => {
        const answer = await this.call(method, path, body === undefined ? undefined : JSON.stringify(body), 'application/json')
        if (answer.status === 404) throw new AbortError(`${method} ${path}: not found; check the namespace, the bucket and the account`)
        const envelope = (await answer.json()) as Envelope<T>
        if (!envelope.success) throw new Error(`${method} ${path}: ${envelope.errors?.[0]?.message ?? 'the API reports no success'}`)
        return envelope
      },
      // What `call` gives up on stays given up; only an answer cut short or without success is asked for again.
      {
        retries: Math.min(2, retries),
        minTimeout: firstPauseMs,
        randomize: true,
        shouldRetry: ({ error }) => error instanceof SyntaxError,
      },
    )
  }
}

async function messageOf(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => '')
  try {
    const envelope: { errors?: { message?: string }[] } = JSON.parse(text)
    return envelope.errors?.[0]?.message ?? text.slice(0, 200)
  } catch {
    return text.slice(0, 200)
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return ' (does CLOUDFLARE_API_TOKEN allow editing Workers KV and R2 of this account?)'
  return ''
}

/** Seconds or an HTTP date; at most a minute. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : 1000 * seconds
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), 60_000)
}

import { getPath } from 'hono/utils/url'
import { isAllowed } from './access.ts'

const POLICY = 'content-security-policy'

/** API answers are data: nothing in them may run, be framed or be guessed to be something else. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  [POLICY]: "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  // Browsers heed it over HTTPS only, so that it does no harm to local development.
  'strict-transport-security': 'max-age=31536000',
}

/** Who names no origin gets no permission, which a cache must not give to those who do. */
const VARY = { vary: 'Origin' }

/** What every answer of the API has, whoever asks and whatever was asked. */
export const API_HEADERS: Readonly<Record<string, string>> = { ...SECURITY_HEADERS, ...VARY }

/**
 * Gives an answer what all have. Around the router and not in it: a route that nothing else listens to is called at once, and three
 * handlers around each were a fifteenth of an answer's CPU.
 * @param waitMs how long it was waited for: the platform stops its clock while code runs
 */
export function addHeaders(env: Env, request: Request, { headers }: Response, waitMs: number): void {
  const origin = request.headers.get('origin')
  const made = headers.has(POLICY)
  const isApi = (!made || origin !== null) && getPath(request).startsWith('/v1/')
  // An answer that was made with them has them all.
  if (!made) {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value)
    // What no route has thought about is for nobody's cache.
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
    if (isApi && !headers.has('vary')) headers.set('vary', VARY.vary)
  }
  if (isApi && origin !== null) addOrigin(headers, origin, isAllowed(env, request, origin))
  headers.set(TIMING, timing(waitMs))
}

const TIMING = 'server-timing'
const timing = (waitMs: number): string => `wait;dur=${waitMs.toFixed(1)}`

function addOrigin(headers: Headers, origin: string, allowed: boolean): void {
  if (allowed) headers.set('access-control-allow-origin', origin)
  // The SDK waits as long as it says.
  headers.set('access-control-expose-headers', 'retry-after')
}

type Ready = { headers: Headers; timing: string }

/** So many sites call one deployment at most; their lists stay. */
const MOST_ORIGINS = 32

/**
 * The same for answers that have headers of their own, before they are made: the platform copies a list of headers at once, while
 * each look at those of an answer makes objects that its collection of garbage has to find again. What passes the router is told its wait
 * there.
 */
export function readyHeaders(own: Record<string, string>): (env: Env, request: Request, waitMs?: number) => Headers {
  const lists = new Map<string | null, Ready>()
  const made = (origin: string | null, allowed: boolean): Ready => {
    const headers = new Headers({ ...own, ...API_HEADERS })
    if (origin !== null) addOrigin(headers, origin, allowed)
    const list = { headers, timing: '' }
    if (origin === null || (allowed && lists.size < MOST_ORIGINS)) lists.set(origin, list)
    return list
  }
  return (env, request, waitMs = 0) => {
    const origin = request.headers.get('origin')
    const allowed = origin !== null && isAllowed(env, request, origin)
    const known = origin === null || allowed ? lists.get(origin) : undefined
    const list = known ?? made(origin, allowed)
    const told = timing(waitMs)
    if (list.timing !== told) {
      list.headers.set(TIMING, told)
      list.timing = told
    }
    return list.headers
  }
}

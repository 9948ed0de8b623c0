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
  if (isApi && origin !== null) {
    if (isAllowed(env, request, origin)) headers.set('access-control-allow-origin', origin)
    // The SDK waits as long as it says.
    headers.set('access-control-expose-headers', 'retry-after')
  }
  headers.set('server-timing', `wait;dur=${waitMs.toFixed(1)}`)
}

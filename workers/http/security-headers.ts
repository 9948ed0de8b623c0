import type { MiddlewareHandler } from 'hono'

const POLICY = 'content-security-policy'

/** API answers are data: nothing in them may run, be framed or be guessed to be something else. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  [POLICY]: "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  // Browsers heed it over HTTPS only, so that it does no harm to local development.
  'strict-transport-security': 'max-age=31536000',
}

export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  const { headers } = c.res
  // An answer that was made with them has them all.
  if (headers.get(POLICY) === SECURITY_HEADERS[POLICY]) return
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) headers.set(name, value)
  // What no route has thought about is for nobody's cache.
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
}

import type { MiddlewareHandler } from 'hono'

/** API answers are data: nothing in them may run, be framed or be guessed to be something else. */
export const securityHeaders: MiddlewareHandler = async (c, next) => {
  await next()
  c.res.headers.set('x-content-type-options', 'nosniff')
  c.res.headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  c.res.headers.set('referrer-policy', 'no-referrer')
  // Browsers heed it over HTTPS only, so that it does no harm to local development.
  c.res.headers.set('strict-transport-security', 'max-age=31536000')
}

import type { MiddlewareHandler } from 'hono'

/** The platform stops its clock while code runs: `wait` is what was waited for (storage, objects), not what was computed. */
export const serverTiming: MiddlewareHandler = async (c, next) => {
  const start = performance.now()
  await next()
  c.res.headers.set('server-timing', `wait;dur=${(performance.now() - start).toFixed(1)}`)
}

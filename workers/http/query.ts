import type { Context } from 'hono'

/** A request's query. The address before it may be no URL at all, where whoever asked made up the name of the host. */
export function queryOf(c: Context): URLSearchParams {
  const { url } = c.req
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start).split('#')[0])
}

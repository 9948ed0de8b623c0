import type { Context } from 'hono'
import { HttpProblem } from './problem.ts'

/** A POST may be this long, in bytes. */
export const MAX_BODY = 64 * 1024

/**
 * The JSON of a body sent as application/json, or as text/plain: a browser sends the latter to another origin without
 * asking first, and it is all that sendBeacon can do. @throws HttpProblem 400, 413 or 415
 */
export async function jsonBody(c: Context): Promise<unknown> {
  const type = c.req.header('content-type')?.split(';')[0].trim().toLowerCase() ?? 'text/plain'
  if (type !== 'application/json' && type !== 'text/plain')
    throw new HttpProblem(415, `send application/json or text/plain, not ${type.slice(0, 60)}`)
  if (Number(c.req.header('content-length') ?? 0) > MAX_BODY) throw tooLarge()
  const bytes = await c.req.arrayBuffer()
  if (bytes.byteLength > MAX_BODY) throw tooLarge()
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    throw new HttpProblem(400, 'the body must be JSON in UTF-8')
  }
}

const tooLarge = (): HttpProblem => new HttpProblem(413, `the body may have ${MAX_BODY} bytes; send fewer events at once`)

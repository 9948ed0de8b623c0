import { HttpProblem } from './problem.ts'

/** A POST may be this long, in bytes. */
export const MAX_BODY = 64 * 1024

/**
 * The JSON object of a body, under whatever content type: browsers send text/plain to another origin without asking first, and
 * it is all that sendBeacon can do. @throws HttpProblem 400 or 413
 */
export async function jsonBody(request: Request, most = MAX_BODY): Promise<object> {
  const declared = Number(request.headers.get('content-length') ?? Number.NaN)
  if (declared > most) throw tooLarge(most)
  // No more comes than was declared, so it can be taken in one piece, which costs a tenth of reading a stream.
  const value = parse(await whole<ArrayBuffer | Uint8Array>(declared >= 0 ? request.arrayBuffer() : readAtMost(request, most)))
  // An array has a method `filter`: to a schema it would be an object with one odd field.
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new HttpProblem(400, 'the body must be a JSON object')
  return value
}

/** A sender who hangs up, or whose chunks are none, has sent no body; that is no fault of this side, and no line of its log. */
async function whole<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof HttpProblem) throw error
    throw new HttpProblem(400, 'the body did not come whole; send it again')
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

function parse(bytes: ArrayBuffer | Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    throw new HttpProblem(400, 'the body must be JSON in UTF-8')
  }
}

/**
 * Stops reading where a body of undeclared length grows too long. The platform fills one buffer: a body of 60,000 chunks of one
 * byte, taken chunk by chunk, would hold the isolate up for seconds.
 */
async function readAtMost(request: Request, most: number): Promise<Uint8Array> {
  const reader = request.body?.getReader({ mode: 'byob' })
  if (reader === undefined) return new Uint8Array(0)
  const { value } = await reader.readAtLeast(most + 1, new Uint8Array(most + 1))
  const bytes = value ?? new Uint8Array(0)
  if (bytes.byteLength > most) throw tooLarge(most)
  return bytes
}

const tooLarge = (most: number): HttpProblem => new HttpProblem(413, `the body may have ${most} bytes; send less at once`)

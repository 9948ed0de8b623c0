import fc from 'fast-check'
import { bomb, hostileJson, hostileText, MARKER, mutated } from './hostile.ts'
import { type Known, WRITE_KEY } from './known.ts'
import type { Request } from './wire.ts'

type Arbitrary<T> = fc.Arbitrary<T>

const changedBody = (request: Request, change: (text: string) => string | Buffer): Request => {
  const changed = change(request.body?.toString() ?? '{}')
  return { ...request, body: typeof changed === 'string' ? Buffer.from(changed) : changed }
}

export const withHeader = (request: Request, ...headers: Request['headers']): Request => ({
  ...request,
  headers: [...request.headers.filter(([name]) => !headers.some(([other]) => other.toLowerCase() === name)), ...headers],
})

export function withTokens(plain: Arbitrary<Request>, known: Known): Arbitrary<Request> {
  const all = [...known.visitors, ...known.memories, ...known.identities, ...known.worthless, ...known.admins]
  const bad = fc.oneof(fc.constantFrom(...all), fc.constantFrom(...all).chain(mutated), hostileText)
  const inHeader = fc
    .tuple(plain, bad, fc.constantFrom('Bearer ', 'bearer ', 'Bearer  ', 'Basic ', '', 'Bearer\t'))
    .map(([request, token, scheme]) => withHeader(request, ['authorization', scheme + oneLine(token)]))
  const inBody = fc.tuple(plain, bad, bad, fc.boolean()).map(([request, token, other, both]) =>
    changedBody(request, (text) => {
      const fields = `"visitor":${JSON.stringify(token)},"token":${JSON.stringify(other)},"consent":"granted"`
      const inner = text.startsWith('{') ? text.slice(1) : text
      return both ? `{${fields},"from":${JSON.stringify(token)},"into":${JSON.stringify(other)},${inner}` : `{${fields},${inner}`
    }),
  )
  // The last of a key counts, so the good ones of the request itself are asked for no more.
  const replaced = fc
    .tuple(plain, bad)
    .map(([request, token]) =>
      changedBody(request, (text) =>
        text.replace(/"(visitor|token|from|into)":"[^"]*"/g, (_, name) => `"${name}":${JSON.stringify(token)}`),
      ),
    )
  return fc.oneof(inHeader, inBody, replaced)
}

/** Header values have one line; what has more is for the headers' own fault. */
export const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, '')

export function withBrokenJson(plain: Arbitrary<Request>): Arbitrary<Request> {
  const place = fc.nat({ max: 4000 })
  const rubbish = fc.oneof(
    fc.constantFrom('\ufeff', '//', ',', '"', '}', '\u0000', '\\', "'", '\n'),
    fc.string({ unit: 'binary', maxLength: 5 }),
  )
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 6 })
  return fc.oneof(
    fc.tuple(plain, place).map(([request, at]) => changedBody(request, (text) => text.slice(0, at % (text.length + 1)))),
    fc
      .tuple(plain, place, rubbish)
      .map(([request, at, added]) =>
        changedBody(request, (text) => text.slice(0, at % (text.length + 1)) + added + text.slice(at % (text.length + 1))),
      ),
    fc.tuple(plain, place, bytes).map(([request, at, added]) =>
      changedBody(request, (text) => {
        const whole = Buffer.from(text)
        const cut = at % (whole.length + 1)
        return Buffer.concat([whole.subarray(0, cut), added, whole.subarray(cut)])
      }),
    ),
    fc.tuple(plain, bomb).map(([request, nested]) => changedBody(request, () => nested)),
    fc
      .tuple(plain, fc.constantFrom('events', 'items', 'filter', 'properties', 'consent', MARKER), bomb)
      .map(([request, name, nested]) => changedBody(request, (text) => `{"${name}":${nested},${text.slice(1)}`)),
    // An event, or an item, of somebody else's kind that is all nesting.
    fc
      .tuple(plain, bomb, fc.constantFrom('type', 'name', 'event'))
      .map(([request, nested, kind]) =>
        changedBody(
          request,
          () => `{"writeKey":"${WRITE_KEY}","events":[{"${kind}":"purchase","params":{"items":${nested}},"properties":${nested}}]}`,
        ),
      ),
    fc.tuple(plain, hostileJson).map(([request, value]) => changedBody(request, () => value)),
    fc
      .tuple(plain, fc.constantFrom(65_000, 66_000, 130_000, 1_100_000))
      .map(([request, length]) => changedBody(request, (text) => text + ' '.repeat(length))),
    // The same key again and again: which one counts must not matter to whether there is an answer.
    fc.tuple(plain, hostileJson, fc.integer({ min: 1, max: 200 })).map(([request, value, times]) =>
      changedBody(request, (text) => {
        const name = /"(\w+)":/.exec(text)?.[1] ?? 'writeKey'
        return `{${`"${name}":${value},`.repeat(times)}${text.slice(1)}`
      }),
    ),
  )
}

export function withContentTypes(plain: Arbitrary<Request>): Arbitrary<Request> {
  const type = fc.oneof(
    fc.constantFrom(
      'text/plain',
      'text/plain;charset=utf-16',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      '',
      ';',
      'a/b/c',
      'application/json;'.repeat(50),
    ),
    hostileText.map(oneLine),
  )
  const encoding = fc.constantFrom(null, 'gzip', 'br', 'deflate, gzip', 'identity', 'zstd', MARKER)
  return fc
    .tuple(plain, type, encoding)
    .map(([request, value, coding]) =>
      withHeader(request, ['content-type', value], ...(coding === null ? [] : ([['content-encoding', coding]] as Request['headers']))),
    )
}

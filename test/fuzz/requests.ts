import fc from 'fast-check'
import { bomb, hostileJson, hostileText, MARKER, mutated } from './hostile.ts'
import { type GoodTexts, jsonText, type Schema } from './json-text.ts'
import { type Known, WRITE_KEY } from './known.ts'
import type { Api, Operation } from './operations.ts'
import type { Framing, Request } from './wire.ts'

/** What is wrong with a request, where anything is. */
export const faults = ['values', 'tokens', 'json', 'content-types', 'methods', 'paths', 'headers', 'framing'] as const
export type RequestFault = (typeof faults)[number]

/** A request to an operation of the API, and what is wrong with it. */
export type Attack = { fault: RequestFault; operation: Operation; request: Request }

type Arbitrary<T> = fc.Arbitrary<T>

const WEIGHTS: Record<RequestFault, number> = {
  values: 40,
  tokens: 15,
  json: 12,
  'content-types': 5,
  methods: 5,
  paths: 9,
  headers: 8,
  framing: 6,
}

/** Requests to every operation of the API, each with one kind of fault. */
export function attacks(api: Api, known: Known, only?: ReadonlySet<string>): Arbitrary<Attack> {
  const each = api.operations.filter(({ id }) => only?.has(id) ?? true).map((operation) => attacksOn(operation, api, known))
  return fc.oneof(...each)
}

function attacksOn(operation: Operation, api: Api, known: Known): Arbitrary<Attack> {
  const plain = plainRequest(operation, api, known)
  const by: Record<RequestFault, Arbitrary<Request>> = {
    values: plain,
    tokens: withTokens(plain, known),
    json: withBrokenJson(plain),
    'content-types': withContentTypes(plain),
    methods: withMethods(plain),
    paths: withPaths(plain, operation, api),
    headers: withHeaders(plain),
    framing: withFraming(plain),
  }
  return fc.oneof(
    ...faults.map((fault) => ({
      weight: WEIGHTS[fault],
      arbitrary: by[fault].map((request): Attack => ({ fault, operation, request })),
    })),
  )
}

/** What gets past the checks of a field, so that what lies behind them is met as well. */
const goodTexts =
  (known: Known): GoodTexts =>
  (name) => {
    switch (name) {
      case 'writeKey':
        return [WRITE_KEY]
      case 'visitor':
      case 'visitors':
        return [...known.visitors, ...known.identities, 'user:anna']
      case 'from':
        return [...known.visitors, '2026-11-01T00:00:00Z']
      case 'into':
        return known.identities
      case 'token':
        return known.memories
      case 'item':
      case 'items':
      case 'exclude':
      case 'unavailable':
      case 'hidden':
      case 'remove':
        return [...known.items.slice(0, 40), `${MARKER}-item`]
      case 'id':
        return [`event-${MARKER}`, '01JD9Q7Z7YB3ABCDEF', ...known.items.slice(0, 5)]
      case 'category':
      case 'categories':
        return known.categories.length > 0 ? known.categories : ['Garden']
      case 'region':
        return ['GB', 'FR', '@EU', '*', 'XX']
      case 'until':
        return ['2027-01-01T00:00:00Z']
      case 'name':
        return ['view_item', 'purchase', 'add_to_cart', 'view_item_list', 'Product Clicked']
      case 'event':
        return ['Product Viewed', 'Order Completed', 'Product List Viewed', 'view_item']
      default:
        return []
    }
  }

function plainRequest(operation: Operation, api: Api, known: Known): Arbitrary<Request> {
  const good = goodTexts(known)
  const textFor = ({ name, schema }: { name: string; schema: Schema }): Arbitrary<string> =>
    jsonText(schema, api.schemas, () => good(name.replace('filter.', ''))).map(plainText)
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query')
  const path = fc
    .tuple(...inPath.map((parameter) => oftener(4, fc.constantFrom(...inPathTexts(parameter.name, known)), textFor(parameter))))
    .map((values) => inPath.reduce((text, { name }, i) => text.replace(`{${name}}`, encoded(values[i])), operation.path))
  const query = fc
    .tuple(
      ...inQuery.map((parameter) =>
        oftener(
          8,
          fc.constant(''),
          textFor(parameter).map((value) => `${parameter.name}=${encoded(value)}`),
        ),
      ),
      oftener(
        40,
        fc.constant(''),
        fc.tuple(hostileText, hostileText).map(([name, value]) => `${encoded(name)}=${encoded(value)}`),
      ),
    )
    .map((pairs) => pairs.filter((pair) => pair !== '').join('&'))
  const body = operation.body === null ? fc.constant(null) : jsonText(operation.body, api.schemas, good)
  return fc.tuple(path, query, body, proof(operation, known)).map(([target, search, text, authorization]) => ({
    method: operation.method,
    target: search === '' ? target : `${target}?${search}`,
    version: 'HTTP/1.1',
    headers: [
      ...(text === null ? [] : ([['content-type', 'application/json']] as Request['headers'])),
      ...(authorization === null ? [] : ([['authorization', `Bearer ${authorization}`]] as Request['headers'])),
    ],
    body: text === null ? null : Buffer.from(text),
    framing: { kind: 'length' },
  }))
}

const inPathTexts = (name: string, known: Known): string[] =>
  name === 'id' ? known.items : name === 'region' ? ['GB', '*', '@EU', 'XX'] : ['popular', 'trending', 'home']

/** Mostly a good one, where one is asked for. */
function proof({ proofs }: Operation, known: Known): Arbitrary<string | null> {
  if (proofs.size === 0) return oftener(10, fc.constant(null), fc.constantFrom(...known.admins))
  const good = [...(proofs.has('visitor') ? [...known.visitors, ...known.identities] : []), ...known.admins]
  return oftener(6, fc.constantFrom(...good), fc.constantFrom(null, ...known.worthless))
}

const oftener = <T>(times: number, usual: Arbitrary<T>, rare: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: rare })

/** A JSON text as it stands in a query: a text without its quotes. */
function plainText(json: string): string {
  if (!json.startsWith('"')) return json
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

const changedBody = (request: Request, change: (text: string) => string | Buffer): Request => {
  const changed = change(request.body?.toString() ?? '{}')
  return { ...request, body: typeof changed === 'string' ? Buffer.from(changed) : changed }
}

const withHeader = (request: Request, ...headers: Request['headers']): Request => ({
  ...request,
  headers: [...request.headers.filter(([name]) => !headers.some(([other]) => other.toLowerCase() === name)), ...headers],
})

function withTokens(plain: Arbitrary<Request>, known: Known): Arbitrary<Request> {
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
const oneLine = (text: string): string => text.replace(/[\r\n\0]/g, '')

function withBrokenJson(plain: Arbitrary<Request>): Arbitrary<Request> {
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

function withContentTypes(plain: Arbitrary<Request>): Arbitrary<Request> {
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

function withMethods(plain: Arbitrary<Request>): Arbitrary<Request> {
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'PATCH',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'PURGE',
    'get',
    'FOO',
    MARKER.toUpperCase(),
  )
  const override = fc.constantFrom<Request['headers'][]>(
    [],
    [['x-http-method-override', 'DELETE']],
    [
      ['origin', `https://${MARKER}.example`],
      ['access-control-request-method', MARKER],
      ['access-control-request-headers', MARKER],
    ],
  )
  return fc.tuple(plain, method, override).map(([request, value, headers]) => ({
    ...withHeader(request, ...headers),
    method: value,
  }))
}

function withPaths(plain: Arbitrary<Request>, operation: Operation, api: Api): Arbitrary<Request> {
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2f',
      '%5c',
      '%00',
      `%0d%0aX-Injected:%20${MARKER}`,
      `;${MARKER}`,
      '',
      '%ff',
      '%c0%ae',
      '%E2%80%AE',
      '%',
      '%zz',
      '*',
      '@EU',
      ':id',
      '{id}',
      '~',
      'a'.repeat(3000),
      '%25%32%66',
      '\\',
      '|',
      MARKER,
    ),
    hostileText.map(encoded),
  )
  const trick = fc.oneof(
    piece.map((part) => `${operation.path}/${part}`),
    piece.map((part) => operation.path.replace(/\{\w+\}/g, part)),
    piece.map((part) => operation.path.replace('/v1', `/v1/${part}/..`)),
    piece.map((part) => `/${part}${operation.path}`),
    fc.constantFrom(...api.paths).map((path) => path.toUpperCase()),
    piece.map((part) => operation.path.replaceAll('/', `/${part}/`)),
    fc.constantFrom(
      '*',
      '/',
      '//',
      '///v1//events',
      'v1/events',
      `http://${MARKER}.example${operation.path}`,
      `//${MARKER}.example${operation.path}`,
      '/?',
      '/#',
      `/cdn-cgi/${MARKER}`,
      '/.env',
      '/bench/meters',
      '/openapi.json',
      '/bundled.json',
    ),
    fc.array(piece, { maxLength: 30 }).map((parts) => `/${parts.join('/')}`),
    fc.tuple(piece, piece).map(([name, value]) => `${operation.path}?${name}=${value}&${name}=${value}&&=&${name}`),
    fc.integer({ min: 1000, max: 20_000 }).map((length) => `${operation.path}?${MARKER}=${'q'.repeat(length)}`),
  )
  return fc.tuple(plain, trick).map(([request, target]) => ({ ...request, target }))
}

/** Names of headers that the Worker, or something before it, looks at. */
const HEARD = [
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cf-connecting-ip',
  'cf-ipcountry',
  'cookie',
  'forwarded',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'origin',
  'range',
  'referer',
  'sec-ch-ua-mobile',
  'sec-gpc',
  'user-agent',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-nightjar-now',
  'x-original-url',
  'te',
  'expect',
  'connection',
  'host',
]

function withHeaders(plain: Arbitrary<Request>): Arbitrary<Request> {
  const value = fc.oneof(
    fc.constantFrom(
      '*',
      `W/"${MARKER}"`,
      '"bundled"',
      'null',
      `https://${MARKER}.example`,
      `http://${MARKER}@127.0.0.1:1/`,
      '::1',
      '1.2.3.4, 5.6.7.8',
      `2001:db8::${MARKER}`,
      'bytes=0-,1-,2-',
      '1',
      '0',
      '100-continue',
      'close',
      `a${MARKER}: b`,
    ),
    hostileText.map(oneLine),
    fc.integer({ min: 100, max: 6000 }).map((length) => MARKER.repeat(Math.ceil(length / MARKER.length))),
  )
  const name = fc.oneof(fc.constantFrom(...HEARD), fc.constantFrom(`x-${MARKER}`, `X_${MARKER}`))
  const injected = fc.constantFrom<[string, string][]>(
    ['x-a', `b\r\nx-injected: ${MARKER}`],
    ['x-a', `b\r\n\r\nHTTP/1.1 200 OK\r\nx-injected: ${MARKER}`],
    [`x-a: b\r\nx-injected`, MARKER],
    ['x a', MARKER],
    ['', MARKER],
    ['x-null', `a\0${MARKER}`],
    [':authority', MARKER],
  )
  const one = oftener(6, fc.tuple(name, value), injected)
  return fc.tuple(plain, fc.array(one, { minLength: 1, maxLength: 5 })).map(([request, headers]) => ({
    ...request,
    headers: [...request.headers, ...headers],
  }))
}

function withFraming(plain: Arbitrary<Request>): Arbitrary<Request> {
  const length = fc.constantFrom('-1', '1e3', '0x10', '+5', '5, 5', '99999999999999999999', '', ' ', '3.5', 'NaN', MARKER)
  const framing: Arbitrary<Framing> = fc.oneof(
    fc.constantFrom(1, 2, 7, 100, 65_536).map((size): Framing => ({ kind: 'chunked', size })),
    fc.constantFrom(1, 10, 100_000, 10_000_000).map((missing): Framing => ({ kind: 'cut', missing })),
    fc.constantFrom(1, 2, 20, 1000).map((extra): Framing => ({ kind: 'over', extra })),
    length.map((text): Framing => ({ kind: 'odd', lines: [`Content-Length: ${text}`] })),
    fc
      .constantFrom<string[][]>(
        ['Content-Length: 5', 'Content-Length: 6'],
        ['Content-Length: 4', 'Transfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked, identity'],
        ['Transfer-Encoding: xchunked'],
        ['Transfer-Encoding:\tchunked'],
        [' Transfer-Encoding: chunked'],
        ['Transfer-Encoding: chunked', 'Trailer: authorization'],
      )
      .map((lines): Framing => ({ kind: 'odd', lines })),
  )
  const version = oftener(8, fc.constant('HTTP/1.1'), fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'HTTP/', MARKER))
  return fc.tuple(plain, framing, version).map(([request, kind, spoken]) => ({
    ...request,
    version: spoken,
    body: request.body ?? Buffer.from('{}'),
    framing: kind,
  }))
}

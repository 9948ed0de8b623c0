import fc from 'fast-check'
import { oneLine, withHeader } from './body-faults.ts'
import { hostileText, MARKER } from './hostile.ts'
import type { Api, Operation } from './operations.ts'
import { encoded, oftener } from './plain-requests.ts'
import type { Framing, Request } from './wire.ts'

type Arbitrary<T> = fc.Arbitrary<T>

export function withMethods(plain: Arbitrary<Request>): Arbitrary<Request> {
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

export function withPaths(plain: Arbitrary<Request>, operation: Operation, api: Api): Arbitrary<Request> {
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

export function withHeaders(plain: Arbitrary<Request>): Arbitrary<Request> {
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

/** The runtime takes as long for each chunk as for a kilobyte. Deployed, it gets bodies from the platform's edge, in pieces of its own. */
const MOST_CHUNKS = 2000

export function withFraming(plain: Arbitrary<Request>): Arbitrary<Request> {
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
    framing: kind.kind === 'chunked' ? { ...kind, size: Math.max(kind.size, Math.ceil((request.body?.length ?? 0) / MOST_CHUNKS)) } : kind,
  }))
}

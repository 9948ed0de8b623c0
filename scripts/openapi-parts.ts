import { toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { NativeEventSchema } from '../shared/schemas/events.ts'
import { Ga4Event } from '../shared/schemas/ga4.ts'
import { ConsentChoice, ItemId, Region } from '../shared/schemas/ids.ts'
import { FilterSchema, ScenarioSchema } from '../shared/schemas/recommendations.ts'
import { SegmentEvent } from '../shared/schemas/segment.ts'

export type Json = { [key: string]: unknown }

export const definitions = {
  ItemId,
  Region,
  ConsentChoice,
  Scenario: ScenarioSchema,
  Filter: FilterSchema,
  Event: NativeEventSchema,
  Ga4Event,
  SegmentEvent,
}

export function schema(of: v.GenericSchema): Json {
  const {
    $schema: _,
    $defs: __,
    ...json
  } = toJsonSchema(of, {
    target: 'draft-2020-12',
    typeMode: 'input',
    // Checks in code, such as the length in bytes, are told in words where they matter.
    errorMode: 'ignore',
    definitions,
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  })
  return json as Json
}

/** A definition itself: not a reference to itself. */
export function named(of: v.GenericSchema): Json {
  const { $schema: _, ...own } = toJsonSchema(of, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' })
  return own as Json
}

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const header = (name: string): Json => ({ [name.toLowerCase()]: { $ref: `#/components/headers/${name}` } })

export const body = (of: v.GenericSchema): Json => ({
  required: true,
  content: {
    'application/json': { schema: schema(of) },
    'text/plain': { schema: { type: 'string', description: 'The same JSON; no preflight.' } },
  },
})

const always = ['Content-Security-Policy', 'Referrer-Policy', 'Server-Timing', 'Strict-Transport-Security', 'X-Content-Type-Options']
const fixed = (of: Json, description: string): Json => ({ required: true, description, schema: { type: 'string', ...of } })

/** What stands in every answer, and what in those of a kind. */
export const headers: Json = {
  'Content-Security-Policy': fixed(
    { const: "default-src 'none'; frame-ancestors 'none'" },
    'Answers are data: nothing in them may run or be framed.',
  ),
  'Referrer-Policy': fixed({ const: 'no-referrer' }, 'A link in an answer tells nobody where it was.'),
  'Server-Timing': fixed({ pattern: '^wait;dur=[0-9]+\\.[0-9]$' }, 'Milliseconds that were waited for storage.'),
  'Strict-Transport-Security': fixed({ const: 'max-age=31536000' }, 'HTTPS only.'),
  'X-Content-Type-Options': fixed({ const: 'nosniff' }, 'An answer is what it says it is.'),
  Private: fixed({ const: 'private, no-store' }, 'For who asked, and for no cache.'),
  Uncached: fixed({ const: 'no-store' }, 'For no cache.'),
  Public: fixed(
    { pattern: '^public, max-age=(60, stale-while-revalidate=600|10)$' },
    'The same for everyone; a degraded answer for 10 seconds only.',
  ),
  ETag: fixed({ pattern: '^"[0-9a-z]+"$' }, 'Changes when the answer does.'),
  'Retry-After': fixed({ pattern: '^[0-9]+$' }, 'Seconds.'),
  'WWW-Authenticate': fixed({ const: 'Bearer' }, 'The proof that is missing.'),
}

export type Caching = 'Private' | 'Uncached' | 'Public'

/** An answer: what it says, in which schema (null: it has no body), for which caches. */
export const answer = (description: string, of: Json | null, caching: Caching, more: readonly string[] = []): Json => ({
  description,
  headers: {
    ...Object.assign({}, ...[...always, ...more].map(header)),
    'cache-control': { $ref: `#/components/headers/${caching}` },
  },
  ...(of !== null && { content: { 'application/json': { schema: of } } }),
})

export const problem = (description: string, more: readonly string[] = []): Json => {
  const { content: _, ...rest } = answer(description, null, 'Uncached', more)
  return { ...rest, content: { 'application/problem+json': { schema: ref('Problem') } } }
}

export const bad = { 400: problem('A parameter, or the body, cannot be taken; `field` names what to mend.') }
export const tooLong = (size: string): Json => ({ 413: problem(`More than ${size}.`) })
export const unproven = { 401: problem('Proof is missing, or names nobody.', ['WWW-Authenticate']) }
export const again = { 503: problem('Storage is out of reach, and nothing is said to be done that was not; ask again.', ['Retry-After']) }
export const slate = {
  200: answer('A slate; whatever failed on the way, the rung says so.', ref('RecommendationAnswer'), 'Private'),
  ...bad,
}
export const listed = {
  200: answer('A slate for everyone.', ref('RecommendationAnswer'), 'Public', ['ETag']),
  304: answer('As the tag in If-None-Match says.', null, 'Public', ['ETag']),
  ...bad,
}
/** Of what browsers post. */
export const posted = { ...bad, 403: problem('The write key is missing or another site’s.'), ...tooLong('64 KB') }
export const limited = { 429: problem('Too many in a minute.', ['Retry-After']) }

/** For a visitor who proves to be one, or an admin who names one. */
export const visitorPath = (operationId: string, summary: string, done: v.GenericSchema, of?: v.GenericSchema): Json => ({
  operationId,
  summary,
  security: [{ visitor: [] }, { admin: [] }],
  parameters: [
    { name: 'visitor', in: 'query', required: false, schema: { type: 'string' }, description: 'With the admin key: whom it is about.' },
  ],
  ...(of !== undefined && { requestBody: body(of) }),
  responses: {
    200: answer('Done.', schema(done), 'Private'),
    ...(of !== undefined && { ...bad, ...tooLong('64 KB') }),
    ...unproven,
    ...again,
  },
})

/** For an admin whose token, if it is not the key itself, has the scope. */
export const adminPath = (operationId: string, summary: string, done: v.GenericSchema, of?: v.GenericSchema): Json => ({
  operationId,
  summary,
  security: [{ admin: [] }],
  ...(of !== undefined && { requestBody: body(of) }),
  responses: {
    200: answer('Done.', schema(done), 'Uncached'),
    ...(of !== undefined && { ...bad, ...tooLong('64 KB') }),
    ...unproven,
    403: problem('The admin token does not allow this.'),
    ...again,
  },
})

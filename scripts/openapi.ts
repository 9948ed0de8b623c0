import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { AvailabilityBody } from '../shared/overlay.ts'
import { EventsBody, NativeEventSchema } from '../shared/schemas/events.ts'
import { Ga4Event } from '../shared/schemas/ga4.ts'
import { ConsentChoice, ItemId, Region } from '../shared/schemas/ids.ts'
import { ItemSchema, ItemsBody } from '../shared/schemas/items.ts'
import {
  FilterSchema,
  listScenarios,
  RankBody,
  RecommendationBody,
  RecommendationQuery,
  ScenarioSchema,
} from '../shared/schemas/recommendations.ts'
import { SegmentEvent } from '../shared/schemas/segment.ts'
import { ConsentBody, ForgetBody, MergeBody, MintBody, PreferencesBody } from '../shared/schemas/visitors.ts'
import { EventsAnswerSchema, ItemsAnswerSchema, ProblemSchema, RankAnswerSchema, RecommendationAnswerSchema } from './openapi-answers.ts'

const ROOT = join(import.meta.dirname, '..')
export const OPENAPI_FILE = join(ROOT, 'docs/openapi.json')

type Json = { [key: string]: unknown }

const definitions = {
  ItemId,
  Region,
  ConsentChoice,
  Scenario: ScenarioSchema,
  Filter: FilterSchema,
  Event: NativeEventSchema,
  Ga4Event,
  SegmentEvent,
}

function schema(of: v.GenericSchema): Json {
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

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const json = (of: Json, type = 'application/json'): Json => ({ content: { [type]: { schema: of } } })
const body = (of: v.GenericSchema): Json => ({
  required: true,
  content: {
    'application/json': { schema: schema(of) },
    'text/plain': { schema: { type: 'string', description: 'The same JSON; no preflight.' } },
  },
})
const problem = (description: string): Json => ({ description, ...json(ref('Problem'), 'application/problem+json') })
const slate: Json = {
  200: { description: 'A slate; whatever failed on the way, the rung says so.', ...json(ref('RecommendationAnswer')) },
  400: problem('A parameter cannot be taken; `field` names it.'),
}
const posted: Json = { 403: problem('The write key is missing or another site’s.'), 413: problem('More than 64 KB.') }
const limited: Json = { 429: problem('Too many in a minute; Retry-After says when to come back.') }

/** Query parameters as the schema has them: lists are repeated, a filter's fields go by dots. */
function queryParameters(left: readonly string[] = []): Json[] {
  const parameter = (name: string, of: v.GenericSchema): Json => ({ name, in: 'query', required: false, schema: schema(of), explode: true })
  const plain = Object.entries(RecommendationQuery.entries).filter(([name]) => name !== 'filter' && !left.includes(name))
  return [
    ...plain.map(([name, of]) => parameter(name, of)),
    ...Object.entries(FilterSchema.entries).map(([name, of]) => parameter(`filter.${name}`, of)),
  ]
}

const pathParameter = (name: string, of: Json): Json => ({ name, in: 'path', required: true, schema: of })
const visitorProof = [{ visitor: [] }, { admin: [] }]
const health = (description: string): Json => ({ description, ...json({ type: 'object' }) })

/** The API's description, made of the schemas that validate its requests. */
export function openApi(): Json {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Nightjar',
      version,
      summary: 'Recommendations computed at night, served at the edge.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{}],
    paths: {
      '/v1/recommendations': {
        post: {
          operationId: 'recommend',
          summary: 'Recommendations for a visitor',
          requestBody: body(RecommendationBody),
          responses: { ...slate, ...posted },
        },
        get: {
          operationId: 'recommendAnyone',
          summary: 'Recommendations for nobody in particular',
          parameters: queryParameters(),
          responses: slate,
        },
      },
      '/v1/rank': {
        post: {
          operationId: 'rankItems',
          summary: 'Puts items of the caller’s choice in the visitor’s order',
          requestBody: body(RankBody),
          responses: {
            200: { description: 'Every item that was sent, once; the rung says what ordered them.', ...json(ref('RankAnswer')) },
            400: problem('A parameter cannot be taken; `field` names it.'),
            ...posted,
          },
        },
      },
      '/v1/items/{id}/similar': {
        get: {
          operationId: 'similarItems',
          summary: 'What is like an item',
          parameters: [pathParameter('id', ref('ItemId')), ...queryParameters(['scenario', 'item', 'items'])],
          responses: slate,
        },
      },
      '/v1/items/{id}': {
        delete: {
          ...adminPath('removeItem', 'Takes an item out of the catalogue'),
          parameters: [pathParameter('id', ref('ItemId'))],
        },
      },
      '/v1/items': {
        put: {
          ...adminPath('putItems', 'Adds, changes and removes items, without waiting for a night; each is judged on its own'),
          requestBody: body(v.strictObject({ ...ItemsBody.entries, items: v.optional(v.pipe(v.array(ItemSchema), v.maxLength(1000))) })),
          responses: {
            200: { description: 'Durable, and live once KV shows the overlay.', ...json(schema(ItemsAnswerSchema)) },
            400: problem('The envelope cannot be taken.'),
            401: problem('The admin key is missing.'),
            413: problem('More than 1 MB.'),
            503: problem('The catalogue did not take them; send them again.'),
          },
        },
      },
      '/v1/latest': {
        get: {
          operationId: 'latest',
          summary: 'What came last, the newest first, the same for everyone',
          parameters: queryParameters(['scenario', 'item', 'items', 'exclude', 'excludePurchased', 'explain']),
          responses: { ...slate, 304: { description: 'As the tag in If-None-Match says.' } },
        },
      },
      '/v1/lists/{region}/{scenario}': {
        get: {
          operationId: 'publicList',
          summary: 'A region’s list, the same for everyone; caches may keep it',
          parameters: [pathParameter('region', ref('Region')), pathParameter('scenario', { enum: [...listScenarios] })],
          responses: { ...slate, 304: { description: 'As the tag in If-None-Match says.' } },
        },
      },
      '/v1/events': {
        post: {
          operationId: 'sendEvents',
          summary: 'Tells what visitors did; each event is judged on its own',
          requestBody: body(
            v.strictObject({
              ...EventsBody.entries,
              events: v.pipe(v.array(v.union([NativeEventSchema, Ga4Event, SegmentEvent])), v.minLength(1), v.maxLength(100)),
            }),
          ),
          responses: {
            202: { description: 'Durable. One result an event, in order.', ...json(ref('EventsAnswer')) },
            400: problem('The envelope cannot be taken.'),
            ...posted,
            ...limited,
            503: problem('The log did not take them; send them again.'),
          },
        },
      },
      '/v1/visitors': {
        post: {
          operationId: 'mintVisitor',
          summary: 'Mints a visitor id for someone who said yes',
          requestBody: body(MintBody),
          responses: {
            201: { description: 'The id: whoever holds it is the visitor.', ...json(schema(v.object({ visitor: v.string() }))) },
            200: { description: 'No consent, no id.', ...json(schema(v.object({ visitor: v.null() }))) },
            ...posted,
          },
        },
      },
      '/v1/visitors/me': {
        get: visitorPath('exportVisitor', 'Everything the edge holds about the visitor'),
        delete: visitorPath('eraseVisitor', 'Forgets the visitor, and says what remains and until when'),
      },
      '/v1/visitors/me/consent': {
        post: {
          ...visitorPath('setConsent', 'A no empties what is remembered; a yes lets it remember from now on'),
          requestBody: body(ConsentBody),
        },
      },
      '/v1/visitors/me/preferences': {
        put: {
          ...visitorPath('setPreferences', 'What the visitor said they like; answers begin from it until their first deed'),
          requestBody: body(PreferencesBody),
        },
      },
      '/v1/visitors/merge': {
        post: {
          operationId: 'mergeVisitors',
          summary: 'At login: what was done under an anonymous id becomes the user’s',
          requestBody: body(MergeBody),
          responses: {
            200: { description: 'What holds now; a memory token of the joined history.', ...json({ type: 'object' }) },
            400: problem('The body cannot be taken; `field` names what to mend.'),
            401: problem('One of the two has no proof; `field` names it.'),
            ...posted,
            503: problem('Ask again.'),
          },
        },
      },
      '/v1/admin/flush': { post: adminPath('flushEvents', 'Writes every event that waits to the archive') },
      '/v1/admin/forget': {
        post: {
          ...adminPath('forgetVisitors', 'Erases visitors whom the site names; a signed receipt for each'),
          requestBody: body(ForgetBody),
        },
      },
      '/v1/admin/audit': { get: adminPath('auditEnds', 'Where the audit log ends, and where its copy in the archive does') },
      '/v1/admin/overlay': {
        put: {
          ...adminPath('setAvailability', 'Replaces what is out of stock and what must not be shown'),
          requestBody: body(AvailabilityBody),
        },
      },
      '/healthz': { get: { operationId: 'health', responses: { 200: health('The Worker runs.') } } },
      '/readyz': { get: { operationId: 'ready', responses: { 200: health('A release can be read.'), 503: health('None can.') } } },
    },
    components: {
      securitySchemes: {
        visitor: {
          type: 'http',
          scheme: 'bearer',
          description: 'The visitor’s own id, or an identity token of the site’s backend (JWT, HS256).',
        },
        admin: {
          type: 'http',
          scheme: 'bearer',
          description: 'The deployment’s ADMIN_KEY, or an admin token with the scope that the route needs.',
        },
      },
      schemas: {
        ...Object.fromEntries(Object.entries(definitions).map(([name, of]) => [name, named(of)])),
        ItemId: { ...named(ItemId), maxLength: 200, description: 'Any well-formed Unicode text of 1 to 200 bytes in UTF-8.' },
        RecommendationAnswer: schema(RecommendationAnswerSchema),
        RankAnswer: schema(RankAnswerSchema),
        EventsAnswer: schema(EventsAnswerSchema),
        Problem: schema(ProblemSchema),
      },
    },
  }
}

/** A definition itself: not a reference to itself. */
function named(of: v.GenericSchema): Json {
  const { $schema: _, ...own } = toJsonSchema(of, { target: 'draft-2020-12', typeMode: 'input', errorMode: 'ignore' })
  return own as Json
}

const visitorPath = (operationId: string, summary: string): Json => ({
  operationId,
  summary,
  security: visitorProof,
  parameters: [
    { name: 'visitor', in: 'query', required: false, schema: { type: 'string' }, description: 'With the admin key: whom it is about.' },
  ],
  responses: { 200: { description: 'Done.', ...json({ type: 'object' }) }, 401: problem('Proof is missing.'), 503: problem('Ask again.') },
})

const adminPath = (operationId: string, summary: string): Json => ({
  operationId,
  summary,
  security: [{ admin: [] }],
  responses: {
    200: { description: 'Done.', ...json({ type: 'object' }) },
    401: problem('The admin key is missing.'),
    403: problem('The admin token does not allow this.'),
    503: problem('Ask again.'),
  },
})

if (import.meta.main) writeFileSync(OPENAPI_FILE, `${JSON.stringify(openApi(), null, 2)}\n`)

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { AvailabilityBody } from '../shared/overlay.ts'
import { EventsBody, NativeEventSchema } from '../shared/schemas/events.ts'
import { Ga4Event } from '../shared/schemas/ga4.ts'
import { ItemId } from '../shared/schemas/ids.ts'
import { ItemSchema, ItemsBody } from '../shared/schemas/items.ts'
import { FilterSchema, listScenarios, RankBody, RecommendationBody, RecommendationQuery } from '../shared/schemas/recommendations.ts'
import { SegmentEvent } from '../shared/schemas/segment.ts'
import { ConsentBody, ForgetBody, MergeBody, MintBody, PreferencesBody } from '../shared/schemas/visitors.ts'
import {
  AuditEndsSchema,
  AvailabilityAnswerSchema,
  ConsentAnswerSchema,
  EventsAnswerSchema,
  ExportSchema,
  FlushAnswerSchema,
  ForgetAnswerSchema,
  ItemsAnswerSchema,
  MergeAnswerSchema,
  PreferencesAnswerSchema,
  ProblemSchema,
  RankAnswerSchema,
  ReadySchema,
  RecommendationAnswerSchema,
  SignedReceiptSchema,
} from './openapi-answers.ts'
import {
  adminPath,
  again,
  answer,
  bad,
  body,
  definitions,
  headers,
  type Json,
  limited,
  listed,
  named,
  posted,
  ref,
  schema,
  slate,
  tooLong,
  unproven,
  visitorPath,
} from './openapi-parts.ts'

const ROOT = join(import.meta.dirname, '..')
export const OPENAPI_FILE = join(ROOT, 'docs/openapi.json')

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

/** With an item in its path. */
const withPath = (operation: Json): Json => ({
  ...operation,
  parameters: [pathParameter('id', ref('ItemId'))],
  responses: { ...(operation.responses as Json), ...bad },
})
const withMore = (operation: Json, responses: Json): Json => ({
  ...operation,
  responses: { ...(operation.responses as Json), ...responses },
})

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
            200: answer('Every item that was sent, once; the rung says what ordered them.', ref('RankAnswer'), 'Private'),
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
      '/v1/items/{id}': { delete: withPath(adminPath('removeItem', 'Takes an item out of the catalogue', ItemsAnswerSchema)) },
      '/v1/items': {
        put: withMore(
          adminPath(
            'putItems',
            'Adds, changes and removes items, without waiting for a night; each is judged on its own; live once KV shows the overlay',
            ItemsAnswerSchema,
            v.strictObject({ ...ItemsBody.entries, items: v.optional(v.pipe(v.array(ItemSchema), v.maxLength(1000))) }),
          ),
          tooLong('1 MB'),
        ),
      },
      '/v1/latest': {
        get: {
          operationId: 'latest',
          summary: 'What came last, the newest first, the same for everyone',
          parameters: queryParameters(['scenario', 'item', 'items', 'exclude', 'excludePurchased', 'explain']),
          responses: listed,
        },
      },
      '/v1/lists/{region}/{scenario}': {
        get: {
          operationId: 'publicList',
          summary: 'A region’s list, the same for everyone; caches may keep it',
          parameters: [pathParameter('region', ref('Region')), pathParameter('scenario', { type: 'string', enum: [...listScenarios] })],
          responses: listed,
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
            202: answer('Durable. One result an event, in order.', ref('EventsAnswer'), 'Private'),
            ...posted,
            ...limited,
            ...again,
          },
        },
      },
      '/v1/visitors': {
        post: {
          operationId: 'mintVisitor',
          summary: 'Mints a visitor id for someone who said yes',
          requestBody: body(MintBody),
          responses: {
            201: answer('The id: whoever holds it is the visitor.', schema(v.object({ visitor: v.string() })), 'Private'),
            200: answer('No consent, no id.', schema(v.object({ visitor: v.null() })), 'Private'),
            ...posted,
          },
        },
      },
      '/v1/visitors/me': {
        get: visitorPath('exportVisitor', 'Everything the edge holds about the visitor', ExportSchema),
        delete: visitorPath('eraseVisitor', 'Forgets the visitor, and says what remains and until when', SignedReceiptSchema),
      },
      '/v1/visitors/me/consent': {
        post: visitorPath(
          'setConsent',
          'A no empties what is remembered; a yes lets it remember from now on',
          ConsentAnswerSchema,
          ConsentBody,
        ),
      },
      '/v1/visitors/me/preferences': {
        put: visitorPath(
          'setPreferences',
          'What the visitor said they like; answers begin from it until their first deed',
          PreferencesAnswerSchema,
          PreferencesBody,
        ),
      },
      '/v1/visitors/merge': {
        post: {
          operationId: 'mergeVisitors',
          summary: 'At login: what was done under an anonymous id becomes the user’s',
          requestBody: body(MergeBody),
          responses: {
            200: answer('What holds now; a memory token of the joined history.', schema(MergeAnswerSchema), 'Private'),
            ...unproven,
            ...posted,
            ...again,
          },
        },
      },
      '/v1/admin/flush': { post: adminPath('flushEvents', 'Writes every event that waits to the archive', FlushAnswerSchema) },
      '/v1/admin/forget': {
        post: adminPath('forgetVisitors', 'Erases visitors whom the site names; a signed receipt for each', ForgetAnswerSchema, ForgetBody),
      },
      '/v1/admin/audit': {
        get: adminPath('auditEnds', 'Where the audit log ends, and where its copy in the archive does', AuditEndsSchema),
      },
      '/v1/admin/overlay': {
        put: adminPath(
          'setAvailability',
          'Replaces what is out of stock and what must not be shown',
          AvailabilityAnswerSchema,
          AvailabilityBody,
        ),
      },
      '/healthz': {
        get: {
          operationId: 'health',
          responses: { 200: answer('The Worker runs.', schema(v.object({ status: v.literal('ok') })), 'Uncached') },
        },
      },
      '/readyz': {
        get: {
          operationId: 'ready',
          responses: {
            200: answer('A release can be read.', schema(ReadySchema), 'Uncached'),
            503: answer('None can.', schema(v.object({ status: v.literal('no release'), advice: v.string() })), 'Uncached'),
          },
        },
      },
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
      headers,
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

if (import.meta.main) writeFileSync(OPENAPI_FILE, `${JSON.stringify(openApi(), null, 2)}\n`)

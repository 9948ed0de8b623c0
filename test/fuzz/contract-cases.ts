import { type Known, SECRETS, WRITE_KEY } from './known.ts'

/** A request that must be answered with a status; on `failing` no storage is within reach. */
export type Case = {
  on?: 'failing'
  target: string
  headers?: [name: string, value: string][]
  body?: unknown
  /** Bytes in the place of JSON. */
  text?: string
  /** Sent so often, all but the last without a look. */
  times?: number
}

const TOO_LONG = 'x'.repeat(70_000)
const bearer = (token: string): [string, string][] => [['authorization', `Bearer ${token}`]]
const ADMIN = bearer(SECRETS.ADMIN_KEY)

/** For every operation, by the document's name for it, one request for each status that the document has for it. */
export function casesOf(known: Known): Record<string, Record<number, Case>> {
  const [visitor, other, third, fourth] = known.visitors
  const [, identity] = known.identities
  // A token for something else than what is asked: `events` opens none of these, `audit` none of the rest.
  const [, eventsOnly] = known.admins
  const [item, second] = known.items
  const me = bearer(visitor)
  const click = { id: 'contract-0001', type: 'click', item }
  const envelope = { writeKey: WRITE_KEY, visitor, consent: 'granted' }

  /** What every route that takes a JSON body from browsers has in common. */
  const posts = (target: string, body: object): Record<number, Case> => ({
    400: { target, body: { ...body, nonsense: 1 } },
    403: { target, body: { ...body, writeKey: 'another' } },
    413: { target, text: TOO_LONG },
  })
  const asAdmin = (target: string, body?: object): Record<number, Case> => ({
    200: { target, headers: ADMIN, ...(body !== undefined && { body }) },
    401: { target, ...(body !== undefined && { body }) },
    403: { target, headers: bearer(eventsOnly), ...(body !== undefined && { body }) },
    503: { target, headers: ADMIN, on: 'failing', ...(body !== undefined && { body }) },
    ...(body !== undefined && {
      400: { target, headers: ADMIN, body: { ...body, nonsense: 1 } },
      413: { target, headers: ADMIN, text: TOO_LONG },
    }),
  })
  const asVisitor = (target: string, body?: object, who = me): Record<number, Case> => ({
    200: { target, headers: who, ...(body !== undefined && { body }) },
    401: { target, headers: bearer('v1.made-up'), ...(body !== undefined && { body }) },
    503: { target, headers: who, on: 'failing', ...(body !== undefined && { body }) },
    ...(body !== undefined && {
      400: { target, headers: who, body: { ...body, nonsense: 1 } },
      413: { target, headers: who, text: TOO_LONG },
    }),
  })
  const list = (target: string, wrong: string): Record<number, Case> => ({
    200: { target },
    304: { target, headers: [['if-none-match', '*etag*']] },
    400: { target: wrong },
  })

  return {
    recommend: {
      200: { target: '/v1/recommendations', body: { ...envelope, scenario: 'home', explain: true, limit: 30 } },
      ...posts('/v1/recommendations', envelope),
    },
    recommendAnyone: {
      200: { target: `/v1/recommendations?scenario=similar&item=${encodeURIComponent(item)}&limit=30&explain=1` },
      400: { target: '/v1/recommendations?limit=0' },
    },
    rankItems: {
      200: { target: '/v1/rank', body: { ...envelope, items: [item, second, 'nobody-knows-it'] } },
      ...posts('/v1/rank', { ...envelope, items: [item] }),
    },
    similarItems: {
      200: { target: `/v1/items/${encodeURIComponent(item)}/similar?filter.available=false` },
      400: { target: `/v1/items/${encodeURIComponent(item)}/similar?scenario=home` },
    },
    removeItem: { ...asAdmin('/v1/items/contract-gone'), 400: { target: `/v1/items/${'x'.repeat(201)}`, headers: ADMIN } },
    putItems: {
      ...asAdmin('/v1/items', {
        items: [{ id: 'contract-1', title: 'A', price: 2, tags: ['a'], properties: { colour: 'red' } }],
        remove: ['contract-0'],
      }),
      413: { target: '/v1/items', headers: ADMIN, text: TOO_LONG.repeat(16) },
    },
    latest: list('/v1/latest?limit=5', '/v1/latest?scenario=home'),
    publicList: list('/v1/lists/GB/popular', '/v1/lists/GB/similar'),
    sendEvents: {
      202: {
        target: '/v1/events',
        body: { ...envelope, events: [click, { name: 'view_item', params: { items: [{ item_id: item }] } }] },
      },
      ...posts('/v1/events', { ...envelope, events: [click] }),
      429: { target: '/v1/events', body: { ...envelope, visitor: other, events: [click] }, times: 310 },
      503: { target: '/v1/events', on: 'failing', body: { writeKey: WRITE_KEY, events: [click] } },
    },
    mintVisitor: {
      200: { target: '/v1/visitors', body: { writeKey: WRITE_KEY, consent: 'denied' } },
      201: { target: '/v1/visitors', body: { writeKey: WRITE_KEY, consent: 'granted' } },
      ...posts('/v1/visitors', { writeKey: WRITE_KEY }),
    },
    exportVisitor: asVisitor('/v1/visitors/me'),
    eraseVisitor: asVisitor('/v1/visitors/me', undefined, bearer(third)),
    setConsent: asVisitor('/v1/visitors/me/consent', { consent: { personalisation: 'granted', learning: 'denied' } }),
    setPreferences: asVisitor('/v1/visitors/me/preferences', { consent: 'granted', categories: ['Garden'], items: [item] }),
    mergeVisitors: {
      200: { target: '/v1/visitors/merge', body: { writeKey: WRITE_KEY, from: fourth, into: identity } },
      401: { target: '/v1/visitors/merge', body: { writeKey: WRITE_KEY, from: 'v1.made-up', into: identity } },
      503: { target: '/v1/visitors/merge', on: 'failing', body: { writeKey: WRITE_KEY, from: fourth, into: identity } },
      ...posts('/v1/visitors/merge', { writeKey: WRITE_KEY, from: fourth, into: identity }),
    },
    flushEvents: asAdmin('/v1/admin/flush'),
    forgetVisitors: asAdmin('/v1/admin/forget', { visitors: ['user:contract', 'nobody'] }),
    auditEnds: asAdmin('/v1/admin/audit'),
    setAvailability: asAdmin('/v1/admin/overlay', { unavailable: ['contract-2'] }),
    health: { 200: { target: '/healthz' } },
    ready: { 200: { target: '/readyz' }, 503: { target: '/readyz', on: 'failing' } },
  }
}

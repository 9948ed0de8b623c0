import { sign } from 'hono/jwt'
import { adminClaims, type Scope, scopes } from '../../shared/admin-token.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'

/** The secrets of the Worker that is attacked: fixed, so that whoever has the seed has the requests. */
export const SECRETS = {
  ID_KEY: 'fuzz-id-key',
  TOKEN_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  IDENTITY_KEY: 'fuzz-identity-key',
  ADMIN_KEY: 'fuzz-admin-key',
} as const
export const SITE = 'demo'
export const WRITE_KEY = 'pk_demo'

/** What is good at this deployment, for requests that get as far as requests can. */
export type Known = {
  items: string[]
  categories: string[]
  /** Minted ids, and the memory token of each. */
  visitors: string[]
  memories: string[]
  /** Signed by the site's backend. */
  identities: string[]
  /** Well signed or nearly, and worth nothing: expired, another site's, without an end, without a name, unsigned. */
  worthless: string[]
  admins: string[]
}

const FAR = 4_102_444_800
const PAST = 1_600_000_000

const visitorCount = 6

/** Learns from the running Worker what its items are, and has a few visitors click. */
export async function learn(url: string): Promise<Known> {
  const { items } = await ask<RecommendationAnswer>(`${url}/v1/recommendations?limit=100`)
  const ids = items.length > 0 ? items.map(({ id }) => id) : ['nj-0001']
  const visitors: string[] = []
  const memories: string[] = []
  for (let i = 0; i < visitorCount; i++) {
    const { visitor } = await ask<{ visitor: string }>(`${url}/v1/visitors`, { writeKey: WRITE_KEY, consent: 'granted' })
    const events = ids.slice(i, i + 3).map((item, k) => ({ id: `known-${i}-${k}-0000`, type: 'click', item }))
    const { token } = await ask<EventsAnswer>(`${url}/v1/events`, { writeKey: WRITE_KEY, visitor, consent: 'granted', events })
    visitors.push(visitor)
    memories.push(token ?? '')
  }
  return {
    items: ids,
    categories: [...new Set(items.flatMap(({ values }) => values.category ?? []))],
    visitors,
    memories,
    identities: await Promise.all(['anna', 'bo'].map((sub) => identity({ sub, exp: FAR }))),
    worthless: await worthlessTokens(),
    admins: [SECRETS.ADMIN_KEY, ...(await Promise.all(scopes.map((scope) => adminToken(scope, FAR))))],
  }
}

const identity = (claims: object, key: string = SECRETS.IDENTITY_KEY): Promise<string> => sign({ ...claims }, key, 'HS256')
const adminToken = (scope: Scope, until: number, site = SITE, key: string = SECRETS.ADMIN_KEY): Promise<string> =>
  sign(adminClaims(site, 'fuzz', [scope], until), key, 'HS256')

async function worthlessTokens(): Promise<string[]> {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const good = await identity({ sub: 'anna', exp: FAR })
  const [head, claims, signature] = good.split('.')
  return [
    await identity({ sub: 'anna', exp: PAST }),
    await identity({ sub: 'anna', exp: FAR, aud: 'elsewhere' }),
    await identity({ sub: 'anna' }),
    await identity({ sub: '', exp: FAR }),
    await identity({ sub: 7, exp: FAR }),
    await identity({ sub: 'anna', exp: 'never' }),
    await identity({ sub: 'anna', exp: FAR, nbf: FAR }),
    await identity({ sub: 'anna', exp: FAR }, 'another-key'),
    await sign({ sub: 'anna', exp: FAR }, SECRETS.IDENTITY_KEY, 'HS512'),
    `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: 'anna', exp: FAR })}.`,
    `${part({ alg: 'none', typ: 'JWT' })}.${part({ sub: 'anna', exp: FAR })}.${signature}`,
    `${head}.${part({ sub: 'bo', exp: FAR })}.${signature}`,
    `${part({ alg: 'HS256', crit: ['x'], b64: false })}.${claims}.${signature}`,
    await adminToken('visitors', PAST),
    await adminToken('visitors', FAR, 'elsewhere'),
    await adminToken('visitors', FAR, SITE, 'another-key'),
    await adminToken('visitors', FAR, SITE, SECRETS.IDENTITY_KEY),
    'user:anna',
    'k1.AAAA',
    '..',
  ]
}

async function ask<T>(url: string, body?: object): Promise<T> {
  const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as T
}

import { verify } from 'hono/jwt'
import { type Scope, scopes } from '../../shared/admin-token.ts'
import { bearerOf } from './bearer.ts'
import { hmacKey, sameText } from './hmac.ts'
import { countIgnored } from './ignored-tokens.ts'

/** Who acts for the site: a name for the audit log, and what they may do. */
export type Admin = { name: string; scopes: ReadonlySet<Scope> }

/**
 * Who shows the admin key, or a token that was signed with it (shared/admin-token.ts). ADMIN_KEY holds one key or, while it
 * is being changed, two with a comma between them. Null for everyone else.
 */
export async function adminOf(env: Env, request: Request): Promise<Admin | null> {
  const bearer = bearerOf(request)
  if (bearer === null) return null
  const keys = keysOf(env.ADMIN_KEY)
  // All are compared, so that timing does not tell which of them was nearly met.
  const matches = await Promise.all(keys.map((key) => sameText(bearer, key)))
  if (matches.includes(true)) return { name: 'key', scopes: new Set(scopes) }
  if (bearer.split('.').length !== 3) return null
  for (const key of keys) {
    const admin = await readToken(env, bearer, key)
    if (admin !== null) return admin
  }
  return null
}

/** As `adminOf`, where nobody else has any business: what is shown and is no admin's is counted. */
export async function onlyAdmin(env: Env, request: Request): Promise<Admin | null> {
  const admin = await adminOf(env, request)
  if (admin === null && bearerOf(request) !== null) countIgnored('admin', 'no admin’s')
  return admin
}

export const isAdmin = async (env: Env, request: Request, scope: Scope): Promise<boolean> =>
  (await adminOf(env, request))?.scopes.has(scope) === true

/** The keys of a secret that may hold several, with commas between them. */
export const keysOf = (text: string): string[] =>
  text
    .split(',')
    .map((key) => key.trim())
    .filter((key) => key !== '')

async function readToken(env: Env, token: string, key: string): Promise<Admin | null> {
  try {
    const { sub, aud, exp, scope } = await verify(token, await hmacKey(key), { alg: 'HS256', iat: false })
    if (typeof sub !== 'string' || typeof exp !== 'number' || typeof scope !== 'string') return null
    if (aud !== `nightjar-admin:${env.SITE}`) {
      countIgnored('admin', 'another site’s')
      return null
    }
    return { name: sub, scopes: new Set(scopes.filter((one) => scope.split(' ').includes(one))) }
  } catch {
    return null
  }
}

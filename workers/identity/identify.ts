import { verify } from 'hono/jwt'
import { visitorHash } from '../../shared/pseudonym.ts'
import { warn } from '../log.ts'
import { hmacKey, sameText } from './hmac.ts'
import { readVisitorId } from './visitor-id.ts'

/** A visitor who has been proven: the pseudonym, and whether their object lives in the EU's jurisdiction. */
export type Identity = { hash: string; eu: boolean }

/**
 * Who a request speaks for. Accepted proofs: an id this deployment minted; a token the site's backend signed (JWT, HS256
 * with IDENTITY_KEY, claims `sub` and `exp`); or `user:<own id>` from a backend that shows the admin key. Null otherwise:
 * the answer is then the region's.
 */
export async function identify(env: Env, request: Request, visitor: string | undefined): Promise<Identity | null> {
  if (visitor === undefined) return null
  try {
    return await provenBy(env, request, visitor)
  } catch (error) {
    // Such as a secret that is not set: the visitor is then a stranger, not an error.
    warn('identify-failed', error)
    return null
  }
}

async function provenBy(env: Env, request: Request, visitor: string): Promise<Identity | null> {
  const minted = await readVisitorId(env.ID_KEY, visitor)
  if (minted !== null) return { hash: await visitorHash(env.ID_KEY, visitor), eu: minted.eu }
  if (visitor.startsWith('user:'))
    return (await isAdmin(env, request)) ? { hash: await visitorHash(env.ID_KEY, visitor.slice(5)), eu: false } : null
  const subject = await subjectOf(env.IDENTITY_KEY, visitor)
  return subject === null ? null : { hash: await visitorHash(env.ID_KEY, subject), eu: false }
}

/** The subject of an identity token; null unless it is well signed, has not expired and names someone. */
async function subjectOf(key: string, token: string): Promise<string | null> {
  if (token.split('.').length !== 3) return null
  const imported = await hmacKey(key)
  try {
    // A backend's clock may be a second ahead: `iat` in the future harms nobody, `exp` and `nbf` count.
    const { sub, exp } = await verify(token, imported, { alg: 'HS256', iat: false })
    return typeof sub === 'string' && sub !== '' && typeof exp === 'number' ? sub : null
  } catch {
    return null
  }
}

export async function isAdmin(env: Env, request: Request): Promise<boolean> {
  const bearer = bearerOf(request)
  return bearer !== null && env.ADMIN_KEY !== '' && (await sameText(bearer, env.ADMIN_KEY))
}

export function bearerOf(request: Request): string | null {
  const header = request.headers.get('authorization')
  return header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : null
}

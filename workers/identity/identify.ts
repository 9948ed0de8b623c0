import { verify } from 'hono/jwt'
import { visitorHash } from '../../shared/pseudonym.ts'
import { warn } from '../log.ts'
import type { Reading } from '../reading.ts'
import { isAdmin, keysOf } from './admin.ts'
import { hmacKey } from './hmac.ts'
import { countIgnored } from './ignored-tokens.ts'
import { readVisitorId } from './visitor-id.ts'

/** A visitor who has been proven: the pseudonym, and whether their object lives in the EU's jurisdiction. */
export type Identity = { hash: string; eu: boolean }

/**
 * Who a request speaks for. Accepted proofs: an id this deployment minted; a token the site's backend signed (JWT, HS256
 * with IDENTITY_KEY, claims `sub` and `exp`); or `user:<own id>` from a backend that shows the admin key or a token with the scope `events` or `visitors`. Null otherwise:
 * the answer is then the region's.
 */
export function identify(env: Env, request: Request, visitor: string | undefined): Reading<Identity | null> {
  return visitor === undefined ? null : (knownHere(env.ID_KEY, visitor) ?? proven(env, request, visitor))
}

async function proven(env: Env, request: Request, visitor: string): Promise<Identity | null> {
  try {
    return await provenBy(env, request, visitor)
  } catch (error) {
    // Such as a secret that is not set: the visitor is then a stranger, not an error.
    warn('identify-failed', error)
    return null
  }
}

/** Ids of the visitors seen last, checked under `ID_KEY`: what two MACs say of an id stays true as long as the key does. */
const checked = { under: '', identities: new Map<string, Identity>() }
const MOST_CHECKED = 2000

function knownHere(idKey: string, visitor: string): Identity | undefined {
  if (checked.under !== idKey) Object.assign(checked, { under: idKey, identities: new Map() })
  return checked.identities.get(visitor)
}

async function mintedHere(idKey: string, visitor: string): Promise<Identity | null> {
  const minted = await readVisitorId(idKey, visitor)
  if (minted === null) return null
  const identity = { hash: await visitorHash(idKey, visitor), eu: minted.eu }
  // Another key may have come meanwhile: what this one has found is nothing to it.
  if (checked.under !== idKey) return identity
  if (checked.identities.size >= MOST_CHECKED) checked.identities.clear()
  checked.identities.set(visitor, identity)
  return identity
}

async function provenBy(env: Env, request: Request, visitor: string): Promise<Identity | null> {
  const minted = await mintedHere(env.ID_KEY, visitor)
  if (minted !== null) return minted
  if (visitor.startsWith('user:')) {
    const allowed = (await isAdmin(env, request, 'events')) || (await isAdmin(env, request, 'visitors'))
    return allowed ? { hash: await visitorHash(env.ID_KEY, visitor.slice(5)), eu: usersLiveInEu(env) } : null
  }
  if (visitor.split('.').length !== 3) {
    countIgnored('visitor', 'forged or damaged')
    return null
  }
  const subject = await subjectOf(env, visitor)
  return subject === null ? null : { hash: await visitorHash(env.ID_KEY, subject), eu: usersLiveInEu(env) }
}

/**
 * A user's own id has no bit that says where their object lives, and where they are today does not say it either: they would
 * not find it again on a journey. So it is said once, for all users of the site.
 */
const usersLiveInEu = (env: Env): boolean => env.USERS_JURISDICTION === 'eu'

/**
 * The subject of an identity token; null unless it is well signed, for this site where it names one, has not expired and
 * names someone. IDENTITY_KEY holds one key or, while it is being changed, two with a comma between them.
 */
async function subjectOf(env: Env, token: string): Promise<string | null> {
  let expired = false
  for (const key of keysOf(env.IDENTITY_KEY)) {
    const imported = await hmacKey(key)
    try {
      // A backend's clock may be a second ahead: `iat` in the future harms nobody, `exp` and `nbf` count.
      const { sub, exp, aud } = await verify(token, imported, { alg: 'HS256', iat: false })
      if (typeof sub !== 'string' || sub === '' || typeof exp !== 'number') break
      if (aud === undefined || aud === env.SITE) return sub
      countIgnored('identity', 'another site’s')
      return null
    } catch (error) {
      expired ||= error instanceof Error && error.name === 'JwtTokenExpired'
    }
  }
  countIgnored('identity', expired ? 'expired' : 'forged or damaged')
  return null
}

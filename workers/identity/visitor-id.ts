import { fromBase64Url, toBase64Url } from './base64url.ts'
import { hmac, sameBytes } from './hmac.ts'

const PREFIX = 'v1.'
const RANDOM_BYTES = 16
const MAC_BYTES = 10
const EU = 1

/**
 * A visitor id is a capability: whoever holds it is the visitor. One byte of flags (1 = lives in the EU's jurisdiction),
 * 128 random bits, and 80 bits of MAC, so that ids cannot be made up.
 */
export async function mintVisitorId(idKey: string, eu: boolean): Promise<string> {
  const body = new Uint8Array(1 + RANDOM_BYTES)
  body[0] = eu ? EU : 0
  crypto.getRandomValues(body.subarray(1))
  const id = new Uint8Array(body.length + MAC_BYTES)
  id.set(body)
  id.set(await macOf(idKey, body), body.length)
  return PREFIX + toBase64Url(id)
}

/** Null unless this deployment minted the id. */
export async function readVisitorId(idKey: string, text: string): Promise<{ eu: boolean } | null> {
  if (!text.startsWith(PREFIX)) return null
  const id = fromBase64Url(text.slice(PREFIX.length))
  if (id === null || id.length !== 1 + RANDOM_BYTES + MAC_BYTES) return null
  const body = id.slice(0, 1 + RANDOM_BYTES)
  return sameBytes(id.slice(body.length), await macOf(idKey, body)) ? { eu: (body[0] & EU) === EU } : null
}

const macOf = async (idKey: string, body: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  (await hmac(idKey, `mint:${toBase64Url(body)}`)).slice(0, MAC_BYTES)

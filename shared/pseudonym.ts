import { utf8 } from './utf8.ts'

/** Node's types and the platform's name this type differently. */
type Key = ReturnType<typeof crypto.subtle.importKey>

const imported = new Map<string, Key>()

/** The key of a secret, imported once. */
function keyOf(secret: string): Key {
  let key = imported.get(secret)
  if (key === undefined) {
    key = crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    imported.set(secret, key)
  }
  return key
}

/**
 * The pseudonym under which a visitor is stored, logged and learned from: 64 bits of HMAC-SHA-256, as 16 hex digits.
 * Edge, batch and importers share the key, so an imported order history meets the visitor it belongs to.
 * @param idKey the deployment's ID_KEY @param visitor the visitor id proper: minted by the edge, or the site's own user id
 */
export const visitorHash = async (idKey: string, visitor: string): Promise<string> =>
  (await hmacHex(idKey, `visitor:${visitor}`)).slice(0, 16)

/** HMAC-SHA-256 in hex. Whoever uses a key for several things begins each message with another word. */
export async function hmacHex(secret: string, message: string): Promise<string> {
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', await keyOf(secret), utf8(message)))
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

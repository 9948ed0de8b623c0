import { utf8 } from '../../shared/utf8.ts'

const imported = new Map<string, Promise<CryptoKey>>()

/** The HMAC key made of a secret; imported once an isolate. */
export function hmacKey(secret: string): Promise<CryptoKey> {
  let key = imported.get(secret)
  if (key === undefined) {
    key = crypto.subtle.importKey('raw', utf8(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    imported.set(secret, key)
  }
  return key
}

export async function hmac(secret: string, message: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await hmacKey(secret), utf8(message)))
}

/** Compares without telling by its timing where two values differ. */
export function sameBytes(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): boolean {
  return a.byteLength === b.byteLength && crypto.subtle.timingSafeEqual(a, b)
}

/** As `sameBytes` for texts of any length: compares their MACs. */
export async function sameText(a: string, b: string): Promise<boolean> {
  return sameBytes(await hmac('compare', a), await hmac('compare', b))
}

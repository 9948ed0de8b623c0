import { utf8 } from '../utf8.ts'
/** First 128 bits of SHA-256 as 32 hex digits: the name of a pack. */
export async function contentHash(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** JSON with keys in code-unit order, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  )
}

/** MurmurHash3's 32-bit finaliser (Appleby, public domain): every input bit flips about half of the output. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * A 48-bit hash of an item id, as an exact integer below 2^48. Not cryptographic: it shortens ids in tokens and in the
 * resident index; the batch refuses a catalogue in which two ids collide under `salt` and picks the next salt.
 */
export function itemHash(id: string, salt: number): number {
  let low = mix(salt + 0x9e3779b9)
  let high = mix(salt ^ 0x7f4a7c15)
  for (const byte of utf8(id)) {
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ byte, 0x5bd1e995) ^ (high >>> 15)
  }
  return (mix(high ^ low) & 0xffff) * 0x1_0000_0000 + mix(low + Math.imul(high, 31))
}

/** Unpadded base64url (RFC 4648 §5). */
export const toBase64Url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: 'base64url', omitPadding: true })

/** Null where the text is not the one way to write its bytes, so that no two texts are the same token. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: 'base64url' })
    return toBase64Url(bytes) === text ? bytes : null
  } catch {
    return null
  }
}

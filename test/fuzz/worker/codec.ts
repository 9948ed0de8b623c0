import type { Verdict } from '../codec-tally.ts'

/** Something that is decoded from outside. `read` throws only what is a crash. */
export type Codec = { name: string; original: Uint8Array<ArrayBuffer>; read(bytes: Uint8Array<ArrayBuffer>): Promise<Verdict> | Verdict }

const decoder = new TextDecoder()
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes)
export const printed = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    ArrayBuffer.isView(inner) ? Array.from(inner as Uint8Array) : inner instanceof Set ? [...inner] : inner,
  )

/** Bytes or a text that a hash, a seal or a signature vouches for: what comes out is the original, or nothing. */
export async function vouched<T>(
  name: string,
  original: Uint8Array<ArrayBuffer>,
  read: (bytes: Uint8Array<ArrayBuffer>) => Promise<T | null>,
): Promise<Codec> {
  const first = await read(original.slice())
  if (first === null) throw new Error(`${name} refuses the original`)
  const expected = printed(first)
  return {
    name,
    original,
    async read(bytes) {
      const value = await read(bytes)
      if (value === null) return 'refused'
      return printed(value) === expected ? 'equal' : 'wrong'
    },
  }
}

/** Null for an error of the kind that callers know; what else is thrown is a crash. */
export async function orNull<T>(known: new (...parameters: never[]) => Error, read: () => Promise<T> | T): Promise<T | null> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof known) return null
    throw error
  }
}

/** Undefined where the text is no JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

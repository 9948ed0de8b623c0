/** `read`: another value than the original, and the one that the changed bytes do say, where nothing vouches for them. */
export type Verdict = 'refused' | 'equal' | 'read' | 'wrong'

/** What a reader made of so many changed inputs, and the first that it should not have taken as it did. */
export type CodecTally = Record<Verdict | 'crashed', number> & {
  name: string
  worst: { at: number; verdict: string; bytes: string } | null
}

import * as v from 'valibot'
import { ConsentChoice, Referrer } from './ids.ts'

const writeKey = v.optional(v.string('must be a string'))
const proof = v.optional(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')))

/** `POST /v1/visitors`: asks for a visitor id; only a yes to something gets one. */
export const MintBody = v.strictObject({ writeKey, consent: v.optional(ConsentChoice) })

/**
 * `POST /v1/visitors/me/consent`. `visitor` is the proof where no header carries it: a browser that says no to another
 * origin, with the page already going, must not need a preflight.
 */
export const ConsentBody = v.strictObject({
  writeKey,
  consent: ConsentChoice,
  visitor: proof,
  /** What the SDK sends with every call; not looked at here. */
  token: proof,
  referrer: v.optional(Referrer),
})

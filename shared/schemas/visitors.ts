import * as v from 'valibot'
import { Consent } from './ids.ts'

/** `POST /v1/visitors`: asks for a visitor id; only a yes gets one. */
export const MintBody = v.strictObject({ writeKey: v.optional(v.string('must be a string')), consent: v.optional(Consent) })

/** `POST /v1/visitors/me/consent`. */
export const ConsentBody = v.strictObject({ consent: Consent })

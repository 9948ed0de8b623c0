import * as v from 'valibot'
import type { SignedReceipt } from '../receipt.ts'
import { ConsentChoice, type Consents, ItemId, Referrer } from './ids.ts'

const writeKey = v.optional(v.string('must be a string'))
const proof = v.optional(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')))

/** `POST /v1/visitors`: asks for a visitor id; only a yes to something gets one. */
export const MintBody = v.strictObject({
  writeKey,
  consent: v.optional(ConsentChoice),
  /** What the SDK sends with every call; not looked at here. */
  referrer: v.optional(Referrer),
})

/**
 * `POST /v1/visitors/me/consent`. `visitor` is the proof where no header carries it: a browser that says no to another
 * origin, with the page already going, must not need a preflight.
 */
export const ConsentBody = v.strictObject({
  writeKey,
  consent: ConsentChoice,
  visitor: proof,
  /** As above. */
  token: proof,
  referrer: v.optional(Referrer),
})

/** `PUT /v1/visitors/me/preferences`: what a visitor chose when asked what they like; replaces what they chose before. */
export const PreferencesBody = v.strictObject({
  writeKey,
  visitor: proof,
  consent: v.optional(ConsentChoice),
  categories: v.optional(
    v.pipe(
      v.array(v.pipe(v.string('must be a string'), v.maxLength(200, 'must be at most 200 characters')), 'must be a list of categories'),
      v.maxLength(20, 'takes at most 20 categories'),
    ),
    [],
  ),
  items: v.optional(v.pipe(v.array(ItemId, 'must be a list of item ids'), v.maxLength(20, 'takes at most 20 items')), []),
})
export type Preferences = { categories: string[]; items: string[] }

/** Null where consent does not allow to keep them. */
export type PreferencesAnswer = { preferences: Preferences | null }

/** `POST /v1/visitors/merge`: whoever held the anonymous id `from` has logged in, and is `into` from now on. */
export const MergeBody = v.strictObject({
  writeKey,
  from: v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')),
  into: v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')),
})

/** What holds from now on, how many items are remembered, and the memory token to send with the next request. */
export type MergeAnswer = { consent: Consents; items: number; token?: string }

/** `POST /v1/admin/forget`. An erasure takes several calls of storage, of which a request of the free plan may make 50. */
export const ForgetBody = v.strictObject({
  visitors: v.pipe(
    v.array(v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters')), 'must be a list of visitors'),
    v.minLength(1, 'needs at least 1 visitor'),
    v.maxLength(10, 'takes at most 10 visitors'),
  ),
})

/** What became of each, in order. */
export type ForgetAnswer = { results: ({ status: 'erased'; receipt: SignedReceipt } | { status: 'rejected'; detail: string })[] }

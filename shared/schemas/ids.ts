import * as v from 'valibot'
import { utf8 } from '../utf8.ts'

const MOST_BYTES = 200

/** No unit of a string takes more than three bytes: of a short one, as most are, none has to be counted. */
const isShort = (id: string): boolean => 3 * id.length <= MOST_BYTES || (id.length <= MOST_BYTES && utf8(id).length <= MOST_BYTES)

/** An item id: any UTF-8 string of 1 to 200 bytes. */
export const ItemId = v.pipe(
  v.string('must be a string'),
  v.nonEmpty('must not be empty'),
  v.check(isShort, `must be at most ${MOST_BYTES} bytes of UTF-8`),
  v.check((id) => id.isWellFormed(), 'must be well-formed Unicode'),
)

/** A client-made event id (a ULID or a UUID); it makes an event idempotent. */
export const EventId = v.pipe(v.string('must be a string'), v.regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, "-" or "_"'))

/** A region: an ISO 3166-1 alpha-2 country (`GB`), a continent (`@EU`) or everywhere (`*`). */
export const Region = v.pipe(
  v.string('must be a string'),
  v.regex(/^(\*|@[A-Z]{2}|[A-Z][A-Z0-9]{1,15})$/, 'must be a country such as "GB", a continent such as "@EU" or "*"'),
)

/** Where the visitor came to the page from: a URL, or '' for nowhere; only its class is used. */
export const Referrer = v.pipe(v.string('must be a string'), v.maxLength(2000, 'must be at most 2000 characters'))

const word = v.picklist(['granted', 'denied', 'unknown'], 'must be "granted", "denied" or "unknown"')
export type Consent = v.InferOutput<typeof word>

/**
 * What a visitor may allow: `personalisation` is the past kept at the edge and the answers made of it, `learning` are
 * events archived under a pseudonym for the night.
 */
export const purposes = ['personalisation', 'learning'] as const
export type Purpose = (typeof purposes)[number]
export type Consents = Record<Purpose, Consent>

/** One word for every purpose, or a word for each; a purpose that is left out is one about which nothing is said. */
export const ConsentChoice = v.union(
  [word, v.strictObject({ personalisation: v.optional(word), learning: v.optional(word) })],
  'must be "granted", "denied" or "unknown", or such a word for each of personalisation and learning',
)
export type ConsentChoice = v.InferOutput<typeof ConsentChoice>

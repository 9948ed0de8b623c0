import * as v from 'valibot'
import type { AuditHead } from '../shared/audit.ts'
import type { SignedReceipt } from '../shared/receipt.ts'
import type { EventsAnswer } from '../shared/schemas/events.ts'
import type { Consents } from '../shared/schemas/ids.ts'
import type { ItemsAnswer } from '../shared/schemas/items.ts'
import type { Problem } from '../shared/schemas/problem.ts'
import { type RankAnswer, type RecommendationAnswer, rungs, sources } from '../shared/schemas/recommendations.ts'
import type { ForgetAnswer, MergeAnswer, Preferences, PreferencesAnswer } from '../shared/schemas/visitors.ts'

/** Answers as schemas, for the API's description only: the Worker is held to them by its types, and the types to these. */
type Describes<T> = v.GenericSchema<T, T>

const Reason = v.union([
  v.object({ code: v.picklist(['similar-to', 'bought-with']), item: v.string(), title: v.exactOptional(v.string()) }),
  v.object({ code: v.picklist(['popular-in', 'trending-in']), region: v.string() }),
  v.object({ code: v.literal('popular-with-cohort'), cohort: v.number() }),
  v.object({ code: v.picklist(['again', 'viewed', 'chosen', 'new']) }),
])

const scores = Object.fromEntries(sources.map((source) => [source, v.exactOptional(v.number())] as const))

const answered = {
  recommId: v.pipe(v.string(), v.description('Opaque, one an answer; send it back with impressions, clicks and purchases.')),
  release: v.pipe(v.nullable(v.string()), v.description('Null when no release could be read.')),
  rung: v.pipe(v.picklist(rungs), v.description('How the answer came to be, best first.')),
  cohort: v.pipe(v.nullable(v.number()), v.description('Null without consent, and where nothing tells which one.')),
  region: v.string(),
}

export const RecommendationAnswerSchema = v.object({
  ...answered,
  items: v.array(
    v.object({
      id: v.string(),
      score: v.pipe(
        v.number(),
        v.description(
          'Ranked by a calibrated ranker (rungs onnx and reference): the probability, 0 to 1, that the visitor takes the item next. Otherwise comparable within one answer only.',
        ),
      ),
      position: v.pipe(v.number(), v.integer(), v.minValue(1), v.description('1 is first; counts from the offset.')),
      source: v.picklist(sources),
      reasons: v.pipe(v.array(Reason), v.description('Most telling first.')),
      explain: v.exactOptional(v.object({ features: v.record(v.string(), v.number()), sources: v.object(scores) })),
      values: v.pipe(
        v.objectWithRest(
          {
            title: v.exactOptional(v.string()),
            category: v.exactOptional(v.string()),
            price: v.exactOptional(v.number()),
            url: v.exactOptional(v.string()),
            image: v.exactOptional(v.string()),
          },
          v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]),
        ),
        v.description('The item’s properties as the catalogue gave them.'),
      ),
    }),
  ),
}) satisfies v.GenericSchema<RecommendationAnswer>

export const RankAnswerSchema: Describes<RankAnswer> = v.object({
  ...answered,
  items: v.array(
    v.object({
      id: v.string(),
      score: v.pipe(v.nullable(v.number()), v.description('As of a recommended item; null where the release does not know the item.')),
      position: v.pipe(v.number(), v.integer(), v.minValue(1)),
    }),
  ),
})

export const EventsAnswerSchema: Describes<EventsAnswer> = v.object({
  results: v.array(
    v.union([
      v.object({ id: v.string(), status: v.literal('accepted') }),
      v.object({ id: v.nullable(v.string()), status: v.literal('rejected'), field: v.string(), detail: v.string() }),
    ]),
  ),
  token: v.exactOptional(v.pipe(v.string(), v.description('Sealed memory of the last items; send it with the next request.'))),
})

export const ItemsAnswerSchema: Describes<ItemsAnswer> = v.object({
  accepted: v.number(),
  rejected: v.array(v.object({ index: v.number(), id: v.nullable(v.string()), field: v.string(), detail: v.string() })),
  live: v.pipe(v.number(), v.description('How many changed items the edge shows beside the release now.')),
})

export const ProblemSchema: Describes<Problem> = v.object({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  field: v.exactOptional(v.pipe(v.string(), v.description('What to mend, such as events[3].item.'))),
})

const Word = v.picklist(['granted', 'denied', 'unknown'])
const Decided: Describes<Consents> = v.object({ personalisation: Word, learning: Word })
const Liked: Describes<Preferences> = v.object({ categories: v.array(v.string()), items: v.array(v.string()) })
const moment = (about: string) =>
  v.pipe(v.nullable(v.number()), v.description(`${about}, in milliseconds since 1970; null where nothing is held.`))

export const ConsentAnswerSchema = v.object({ consent: Decided })
export const PreferencesAnswerSchema: Describes<PreferencesAnswer> = v.object({
  preferences: v.pipe(v.nullable(Liked), v.description('Null where consent does not allow to keep them.')),
})
export const MergeAnswerSchema: Describes<MergeAnswer> = v.object({
  consent: Decided,
  items: v.pipe(v.number(), v.description('How many are remembered.')),
  token: v.exactOptional(v.string()),
})

export const ExportSchema = v.object({
  pseudonym: v.pipe(v.string(), v.description('Under which the archive has the visitor’s events.')),
  consent: Decided,
  items: v.array(
    v.object({
      id: v.string(),
      deed: v.pipe(v.picklist([0, 1, 2]), v.description('0 looked at, 1 in the cart, 2 bought.')),
      at: v.number(),
    }),
  ),
  purchased: v.array(v.string()),
  preferences: v.exactOptional(Liked),
  createdAt: moment('When it was first held'),
  updatedAt: moment('When it was last written'),
  erasedUntil: v.exactOptional(v.pipe(v.number(), v.description('Erased: until then nothing is taken in.'))),
})

const Head: Describes<AuditHead> = v.object({ seq: v.number(), hash: v.string() })
export const AuditEndsSchema = v.object({ head: Head, copied: Head })

export const SignedReceiptSchema: Describes<SignedReceipt> = v.object({
  erased: v.literal(true),
  site: v.string(),
  pseudonym: v.string(),
  at: v.string(),
  remains: v.array(v.object({ what: v.string(), until: v.string() })),
  audit: Head,
  signature: v.string(),
})
export const ForgetAnswerSchema: Describes<ForgetAnswer> = v.object({
  results: v.array(
    v.union([
      v.object({ status: v.literal('erased'), receipt: SignedReceiptSchema }),
      v.object({ status: v.literal('rejected'), detail: v.string() }),
    ]),
  ),
})

export const FlushAnswerSchema = v.object({ posts: v.pipe(v.number(), v.description('How many went to the archive.')) })
export const AvailabilityAnswerSchema = v.object({ unavailable: v.number(), hidden: v.number() })
export const ReadySchema = v.object({
  status: v.picklist(['ready', 'stale', 'previous release']),
  release: v.string(),
  items: v.number(),
  ageHours: v.pipe(v.number(), v.description('Of the newest event that it learned from.')),
  onnxStarts: v.pipe(v.number(), v.description('In this isolate.')),
  onnxFailures: v.number(),
})

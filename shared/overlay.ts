import * as v from 'valibot'
import { canonicalJson, contentHash } from './release/hash.ts'
import { ItemId } from './schemas/ids.ts'
import { LiveItem } from './schemas/items.ts'
import { utf8 } from './utf8.ts'

const OverlaySchema = v.strictObject({
  v: v.literal(1),
  /** Unix milliseconds at which the live state was taken. */
  at: v.number(),
  /** Per region (`*` for everywhere): items by how many distinct visitors took them lately, best first. */
  trending: v.record(v.string(), v.array(v.strictObject({ item: ItemId, score: v.number() }))),
  /** Out of stock since the night. */
  unavailable: v.array(ItemId),
  /** Never to be shown. */
  hidden: v.array(ItemId),
  /** What changed in the catalogue since the night: new items, and what is said anew of known ones. */
  items: v.optional(v.array(LiveItem), []),
})

/** All live state the edge reads beside a release: one value, replaced whole by the cron or an admin. */
export type Overlay = v.InferOutput<typeof OverlaySchema>

const itemList = v.pipe(v.array(ItemId, 'must be a list of item ids'), v.maxLength(2000, 'takes at most 2000 ids'))
/** `PUT /v1/admin/overlay`: what an admin says of items; a list that is not given stays as it was. */
export const AvailabilityBody = v.strictObject({ unavailable: v.optional(itemList), hidden: v.optional(itemList) })

export const emptyOverlay: Overlay = { v: 1, at: 0, trending: {}, unavailable: [], hidden: [], items: [] }

/** Null where the text is no overlay: the edge then goes on with the one it has. */
export function parseOverlay(text: string): Overlay | null {
  try {
    const parsed = v.safeParse(OverlaySchema, JSON.parse(text))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

/** The name of an overlay: of what it says, whenever it was said. */
export const overlayHash = ({ at: _, ...said }: Overlay): Promise<string> => contentHash(utf8(canonicalJson(said)))

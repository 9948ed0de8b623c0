import type { LiveItem } from '../../shared/schemas/items.ts'
import { indexOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'

/** More than this beside a release would make every isolate slow; what is over it waits for the night. */
export const MOST_LIVE = 1000
/** In characters of JSON: every isolate reads all of it again whenever any of it changes. */
const MOST_LIVE_CHARACTERS = 2_000_000
/** Changes that came at nearly the same time may be listed by a night in another order. */
const MARGIN_MS = 5 * 60_000

export const knows = (release: LoadedRelease | null, item: string): boolean => release !== null && indexOf(release, item) >= 0

/**
 * Whether a release has taken in all that an item has to say, as long as no window of it is still to open or close.
 * @param catalogueAt up to when the release knows the catalogue, like `now` in Unix milliseconds
 */
export const isTakenIn = ({ at, fields }: LiveItem, catalogueAt: number, now: number): boolean =>
  at <= catalogueAt - MARGIN_MS && (fields.from ?? 0) <= now && fields.until === undefined

/** What must not be shown goes first, then what is new, then what is only told anew; the newest change of each. */
export function mostUrgent(
  items: readonly { live: LiveItem; json: string }[],
  release: LoadedRelease | null,
): { kept: LiveItem[]; dropped: string[] } {
  const urgency = ({ item, removed, fields }: LiveItem): number =>
    removed || fields.available === false ? 0 : knows(release, item) ? 2 : 1
  const kept: LiveItem[] = []
  const dropped: string[] = []
  let characters = 0
  for (const { live, json } of items
    .map((item) => ({ ...item, urgency: urgency(item.live) }))
    .sort((a, b) => a.urgency - b.urgency || b.live.at - a.live.at || (a.live.item < b.live.item ? -1 : 1))) {
    if (kept.length < MOST_LIVE && characters + json.length <= MOST_LIVE_CHARACTERS) {
      kept.push(live)
      characters += json.length
    } else dropped.push(live.item)
  }
  return { kept, dropped }
}

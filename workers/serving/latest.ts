import { canonicalJson, contentHash } from '../../shared/release/hash.ts'
import type { Filter } from '../../shared/schemas/recommendations.ts'
import { utf8 } from '../../shared/utf8.ts'
import { type Background, dueSoon } from '../background.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { type LiveRelease, withOverlay } from '../releases/with-overlay.ts'
import { slateJson } from './answer.ts'
import { allowedItems } from './policy.ts'
import { listed, type PublicList } from './public-list.ts'
import type { Shown } from './shown.ts'

export type LatestQuery = { limit: number; offset: number; filter: Filter }

/** What came last, the newest first: what arrived since the night, then the release's items by age. The same for everyone. */
export function latestList(env: Env, execution: Background, asked: LatestQuery, now: number): Promise<PublicList> {
  const ctx = dueSoon(env, execution)
  const reading = readOverlay(env, ctx)
  return listed(env, ctx, { ...asked, region: '*' }, now, async ({ loaded, previous }) => {
    const overlay = await reading
    const release = withOverlay(loaded, overlay)
    const allow = allowedItems(release, [], asked.filter, now)
    const shown = newestFirst(release)
      .filter(allow)
      .slice(asked.offset, asked.offset + asked.limit)
    const rung = previous ? ('previous-release' as const) : ('list-order' as const)
    const tag = await contentHash(utf8(canonicalJson([release.release, asked, rung, shown, overlay])))
    const slate = { shown: shown.map(asShown), rung, cohort: null, region: '*' }
    return {
      text: await slateJson(ctx, release, slate, asked.offset, tag.slice(0, 22)),
      etag: `"${tag.slice(0, 16)}"`,
      degraded: previous,
    }
  })
}

function newestFirst({ core, arrived }: LiveRelease): number[] {
  const known = Array.from({ length: core.items - arrived.length }, (_, item) => item)
  return [...arrived, ...known.sort((a, b) => core.age[a] - core.age[b] || core.popularity[b] - core.popularity[a] || a - b)]
}

const asShown = (item: number): Shown => ({ item, score: 0, source: 'new', reasons: [{ code: 'new' }] })

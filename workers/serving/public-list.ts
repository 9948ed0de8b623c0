import { canonicalJson, contentHash } from '../../shared/release/hash.ts'
import type { Filter, ListScenario } from '../../shared/schemas/recommendations.ts'
import { utf8 } from '../../shared/utf8.ts'
import { type Background, dueSoon } from '../background.ts'
import type { Current } from '../releases/current.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { withOverlay } from '../releases/with-overlay.ts'
import { slateJson } from './answer.ts'
import { fromReleases } from './from-releases.ts'
import { filledUp, regionSlate, trendingSlate } from './list-slate.ts'
import { pathFrom } from './place.ts'
import { allowedItems } from './policy.ts'
import { neverTheSame, withoutRelease } from './without-release.ts'

/** JSON text, the tag that changes when the content does, and whether it is what was meant to be answered. */
export type PublicList = { text: string; etag: string; degraded: boolean }

const LENGTH = 50

/** The same for everyone who asks for this region, and made of nothing but the region: caches hand it to anyone. */
export function publicList(env: Env, execution: Background, region: string, scenario: ListScenario): Promise<PublicList> {
  const ctx = dueSoon(env, execution)
  const reading = readOverlay(env, ctx)
  return listed(env, ctx, { region, offset: 0, limit: LENGTH }, Date.now(), async (current) => {
    const { previous } = current
    const overlay = await reading
    const loaded = withOverlay(current.loaded, overlay)
    const regions = pathFrom(region, loaded.regions, null)
    const complete = await loaded.loadLists(ctx, regions)
    const allow = allowedItems(loaded, [], {}, Date.now())
    const shelf = scenario === 'trending' ? trendingSlate(loaded, overlay, regions, allow) : regionSlate(loaded, regions, allow)
    const { shown, rung } = filledUp(loaded, regions, allow, shelf, LENGTH)
    const slate = {
      shown: shown.slice(0, LENGTH),
      rung: previous ? ('previous-release' as const) : rung,
      cohort: null,
      region: regions[0],
    }
    // What is shown too: a window opens and closes without a change of the overlay.
    const tag = await contentHash(
      utf8(canonicalJson([loaded.release, overlay, region, scenario, slate.rung, slate.shown.map(({ item }) => item)])),
    )
    // Caches hand the same answer to everyone, so it has one id.
    return {
      text: await slateJson(ctx, loaded, slate, 0, tag.slice(0, 22)),
      etag: `"${tag.slice(0, 16)}"`,
      degraded: previous || !complete,
    }
  })
}

/** A list of the release, or of the one before; where neither can be read in time, one that needs no release. @param now Unix milliseconds */
export async function listed(
  env: Env,
  ctx: Background,
  { region, ...asked }: { region: string; offset: number; limit: number; filter?: Filter },
  now: number,
  make: (current: Current) => Promise<PublicList>,
): Promise<PublicList> {
  const list = await fromReleases(env, ctx, (known) => pathFrom(region, known, null), make)
  return list ?? { text: await withoutRelease(env, region, { ...asked, exclude: [] }, now), etag: neverTheSame(), degraded: true }
}

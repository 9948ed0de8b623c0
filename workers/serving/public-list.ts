import { canonicalJson, contentHash } from '../../shared/release/hash.ts'
import type { RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import { utf8 } from '../../shared/utf8.ts'
import type { Background } from '../background.ts'
import { currentRelease } from '../releases/current.ts'
import { readOverlay } from '../releases/overlay-reader.ts'
import { bundledAnswer, slateJson } from './answer.ts'
import { popularSlate, trendingSlate } from './list-slate.ts'
import { allowedItems } from './policy.ts'
import { pathFrom } from './visit.ts'

export const listScenarios = ['popular', 'trending', 'home'] as const
export type ListScenario = (typeof listScenarios)[number]

const LENGTH = 50

/** The same for everyone who asks for this region: JSON text and the tag that changes when the content does. */
export async function publicList(
  env: Env,
  ctx: Background,
  raw: Request,
  region: string,
  scenario: ListScenario,
): Promise<{ text: string; etag: string }> {
  const plain: Pick<RecommendationRequest, 'offset' | 'limit' | 'exclude' | 'filter'> = {
    offset: 0,
    limit: LENGTH,
    exclude: [],
    filter: {},
  }
  const current = await currentRelease(env, ctx)
  if (current === null) return { text: await bundledAnswer(env, raw, plain), etag: '"bundled"' }
  try {
    const { loaded, previous } = current
    const overlay = await readOverlay(env, ctx)
    const regions = pathFrom(region, loaded.regions, null)
    await loaded.loadLists(regions)
    const allow = allowedItems(loaded, overlay, [], plain.filter)
    const list = scenario === 'trending' ? trendingSlate(loaded, overlay, regions, allow) : popularSlate(loaded, regions, allow)
    const slate = {
      shown: list.shown.slice(0, LENGTH),
      rung: previous ? ('previous-release' as const) : list.rung,
      cohort: null,
      region: regions[0],
    }
    const tag = await contentHash(utf8(canonicalJson([loaded.release, overlay, region, scenario])))
    // Caches hand the same answer to everyone, so it has one id.
    return { text: await slateJson(loaded, slate, 0, tag.slice(0, 22)), etag: `"${tag.slice(0, 16)}"` }
  } catch {
    return { text: await bundledAnswer(env, raw, plain), etag: '"bundled"' }
  }
}

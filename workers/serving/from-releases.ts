import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { type Current, currentRelease, previousRelease, type WantedRegions } from '../releases/current.ts'
import { warmUp } from '../scoring/scorer.ts'

/**
 * What `answer` makes of the release that is served, or where that fails of the one before; null where neither can. A release
 * that answered has its ranker started behind the answer.
 */
export async function fromReleases<T>(
  env: Env,
  ctx: Background,
  wanted: WantedRegions,
  answer: (current: Current) => Promise<T>,
): Promise<T | null> {
  const current = await currentRelease(env, ctx, wanted)
  const first = current === null ? null : await tried(env, ctx, current, answer)
  if (first !== null || current === null || current.previous) return first
  const before = await previousRelease(env, ctx, wanted)
  return before === null ? null : tried(env, ctx, before, answer)
}

async function tried<T>(env: Env, ctx: Background, current: Current, answer: (current: Current) => Promise<T>): Promise<T | null> {
  const { release, manifest, weights } = current.loaded
  try {
    const answered = await answer(current)
    if (manifest.ranker === 'mlp' && weights !== null) warmUp(env, ctx, weights)
    return answered
  } catch (error) {
    warn('rung-failed', error, { release })
    return null
  }
}

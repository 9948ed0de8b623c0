import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { type Current, currentRelease, previousRelease, type WantedRegions } from '../releases/current.ts'
import { mostlyAtOnce } from '../within.ts'
import type { Past } from './visit.ts'

/** Whoever asks gives up soon after that: the SDK waits for two seconds. */
const PATIENCE_MS = 1_800

type Answer<T> = (current: Current) => Promise<T>

/**
 * What `answer` makes of the release that is served, or where that fails of the one before; null where neither can, or not in
 * time.
 * @param past of the visitor, where the answer waits for it
 */
export async function fromReleases<T>(
  env: Env,
  ctx: Background,
  wanted: WantedRegions,
  answer: Answer<T>,
  past?: Promise<Past>,
): Promise<T | null> {
  try {
    return await mostlyAtOnce(PATIENCE_MS, fromEither(env, ctx, wanted, answer), past)
  } catch (error) {
    warn('answer-late', error)
    return null
  }
}

async function fromEither<T>(env: Env, ctx: Background, wanted: WantedRegions, answer: Answer<T>): Promise<T | null> {
  const current = await currentRelease(env, ctx, wanted)
  const first = current === null ? null : await tried(current, answer)
  if (first !== null || current === null || current.previous) return first
  const before = await previousRelease(env, ctx, wanted)
  return before === null ? null : tried(before, answer)
}

async function tried<T>(current: Current, answer: Answer<T>): Promise<T | null> {
  try {
    return await answer(current)
  } catch (error) {
    warn('rung-failed', error, { release: current.loaded.release })
    return null
  }
}

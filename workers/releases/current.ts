import type { Background } from '../background.ts'
import { readChannel } from './channel-reader.ts'
import { type LoadedRelease, loadRelease } from './loaded-release.ts'

/** A release that can be served, and whether it is the one meant to be or the one before. */
export type Current = { loaded: LoadedRelease; previous: boolean }

/** The stable release; the previous one where the stable cannot be read; null where neither can. */
export async function currentRelease(env: Env, ctx: Background): Promise<Current | null> {
  const channel = await readChannel(env, ctx)
  if (channel === null) return null
  for (const entry of [channel.stable, channel.previous]) {
    if (entry === null) continue
    try {
      const loaded = await loadRelease(env, entry)
      return { loaded, previous: entry === channel.previous }
    } catch (error) {
      console.warn(
        JSON.stringify({
          event: 'release-unusable',
          release: entry.release,
          error: error instanceof Error ? error.message : String(error),
        }),
      )
    }
  }
  return null
}

/** The release before, for the request whose stable release turned out to lack something. */
export async function previousRelease(env: Env, ctx: Background): Promise<Current | null> {
  const entry = (await readChannel(env, ctx))?.previous
  if (!entry) return null
  try {
    return { loaded: await loadRelease(env, entry), previous: true }
  } catch {
    return null
  }
}

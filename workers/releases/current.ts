import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import type { ChannelEntry } from '../../shared/release/manifest.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import type { Reading } from '../reading.ts'
import { readChannel } from './channel-reader.ts'
import { isolate, type TrustedChannel } from './isolate.ts'
import { type LoadedRelease, loadRelease } from './loaded-release.ts'

/** A release that can be served, and whether it is the one meant to be or the one before. */
export type Current = { loaded: LoadedRelease; previous: boolean }

/** Which regions' lists a request will want, of those a release has: they are then read in the same round as the rest. */
export type WantedRegions = (known: ReadonlySet<string>) => readonly string[]

const everywhere: WantedRegions = () => [EVERYWHERE]

/** The stable release; the previous one where the stable cannot be read; null where neither can. */
export function currentRelease(env: Env, ctx: Background, wanted = everywhere): Reading<Current | null> {
  const channel = readChannel(env, ctx)
  const loaded = channel instanceof Promise ? undefined : isolate.releases.get(channel?.stable?.release ?? '')
  return loaded === undefined ? readCurrent(env, ctx, wanted, channel) : { loaded, previous: false }
}

async function readCurrent(
  env: Env,
  ctx: Background,
  wanted: WantedRegions,
  reading: Reading<TrustedChannel | null>,
): Promise<Current | null> {
  const channel = await reading
  if (channel === null) return null
  const { stable } = channel
  const loaded = stable === null ? null : await usable(env, ctx, stable, wanted)
  if (loaded !== null) return { loaded, previous: false }
  const previous = await channel.previous()
  const before = previous === null ? null : await usable(env, ctx, previous, wanted)
  return before === null ? null : { loaded: before, previous: true }
}

/** The release before, for the request whose stable release turned out to lack something. */
export async function previousRelease(env: Env, ctx: Background, wanted = everywhere): Promise<Current | null> {
  const entry = await (await readChannel(env, ctx))?.previous()
  const loaded = entry ? await usable(env, ctx, entry, wanted) : null
  return loaded === null ? null : { loaded, previous: true }
}

async function usable(env: Env, ctx: Background, entry: ChannelEntry, wanted: WantedRegions): Promise<LoadedRelease | null> {
  try {
    return await loadRelease(env, ctx, entry, wanted)
  } catch (error) {
    warn('release-unusable', error, { release: entry.release })
    return null
  }
}

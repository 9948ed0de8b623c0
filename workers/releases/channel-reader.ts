import { CHANNEL_KEY } from '../../shared/release/keys.ts'
import { type ChannelEntry, checkEntry, parseChannel } from '../../shared/release/manifest.ts'
import type { Background } from '../background.ts'
import { isolate, type TrustedChannel } from './isolate.ts'

/** An idle isolate may hold a pointer this old: then a request waits for a newer one, but not long. */
const TOO_OLD_MS = 5 * 60_000
const PATIENCE_MS = 100
/** KV's own edge cache: 30 s is the least it takes. */
const KV_CACHE_SECONDS = 30

/**
 * What is live. The first request of an isolate waits for it; later ones take what is known and refresh it behind the
 * answer. Null only where KV has never answered.
 */
export async function readChannel(env: Env, ctx: Background): Promise<TrustedChannel | null> {
  const known = isolate.channel
  if (known === null) return refresh(env)
  const age = Date.now() - known.at
  if (age < 1000 * Math.max(1, Number(env.CHANNEL_REFRESH_SECONDS) || 60)) return known.value
  const newer = refresh(env)
  ctx.waitUntil(newer)
  if (age < TOO_OLD_MS) return known.value
  return (await Promise.race([newer, scheduler.wait(PATIENCE_MS).then(() => null)])) ?? known.value
}

/** Reads the channel once, however many requests ask; keeps the last good one when that fails. */
function refresh(env: Env): Promise<TrustedChannel | null> {
  isolate.channelRefresh ??= fetchChannel(env)
    .then((value) => {
      isolate.channel = { value, at: Date.now() }
      return value
    })
    .catch((error: unknown) => {
      console.warn(JSON.stringify({ event: 'channel-unreadable', error: error instanceof Error ? error.message : String(error) }))
      // Ask again only after the usual time; every request doing so would turn an outage into load.
      if (isolate.channel !== null) isolate.channel.at = Date.now()
      return null
    })
    .finally(() => {
      isolate.channelRefresh = null
    })
  return isolate.channelRefresh
}

async function fetchChannel(env: Env): Promise<TrustedChannel> {
  const text = await env.RELEASES.get(CHANNEL_KEY, { type: 'text', cacheTtl: KV_CACHE_SECONDS })
  if (text === null) throw new Error('no release has been published')
  const channel = parseChannel(text)
  const stable = await trusted(channel.stable)
  const previous = channel.previous === null ? null : await trusted(channel.previous)
  return { stable, previous, broken: (stable === null ? 1 : 0) + (channel.previous !== null && previous === null ? 1 : 0) }
}

async function trusted(entry: { release: string; manifest?: unknown }): Promise<ChannelEntry | null> {
  try {
    return await checkEntry({ release: entry.release, manifest: entry.manifest })
  } catch (error) {
    console.warn(
      JSON.stringify({ event: 'manifest-refused', release: entry.release, error: error instanceof Error ? error.message : String(error) }),
    )
    return null
  }
}

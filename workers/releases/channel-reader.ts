import { CHANNEL_KEY } from '../../shared/release/keys.ts'
import { type ChannelEntry, checkEntry, parseChannel } from '../../shared/release/manifest.ts'
import { type Background, behind } from '../background.ts'
import { warn } from '../log.ts'
import type { Reading } from '../reading.ts'
import { since } from '../since.ts'
import { isolate, type TrustedChannel } from './isolate.ts'
import { loadRelease } from './loaded-release.ts'

/** An idle isolate may hold a pointer this old: then a request waits for a newer one, but not long. */
const TOO_OLD_MS = 5 * 60_000
const PATIENCE_MS = 100
/** KV's own edge cache: 30 s is the least it takes. */
const KV_CACHE_SECONDS = 30

/**
 * What is live. The first request of an isolate waits for it; later ones take what is known and refresh it behind the
 * answer. Null only where KV has never answered.
 */
export function readChannel(env: Env, ctx: Background): Reading<TrustedChannel | null> {
  const known = isolate.channel
  if (known === null) return refresh(env, ctx)
  const age = since(known.at)
  if (age < 1000 * Math.max(1, Number(env.CHANNEL_REFRESH_SECONDS) || 60)) return known.value
  if (age < TOO_OLD_MS && isolate.reads.underWay(CHANNEL_KEY)) return known.value
  const newer = refresh(env, behind(ctx))
  ctx.waitUntil(newer)
  if (age < TOO_OLD_MS) return known.value
  return Promise.race([newer, scheduler.wait(PATIENCE_MS).then(() => null)]).then((value) => value ?? known.value)
}

/** Null where the channel cannot be read; the last good one then stays, and is not asked for again before its time. */
async function refresh(env: Env, ctx: Background): Promise<TrustedChannel | null> {
  try {
    return await isolate.reads.get(ctx, CHANNEL_KEY, async () => {
      const text = await env.RELEASES.get(CHANNEL_KEY, { type: 'text', cacheTtl: KV_CACHE_SECONDS })
      if (text === null) throw new Error('no release has been published')
      const before = isolate.channel
      const value = text === before?.text ? before.value : await channelOf(text)
      if (before !== null) await readAhead(env, ctx, before.value, value)
      isolate.channel = { value, text, at: Date.now() }
      return value
    })
  } catch (error) {
    warn('channel-unreadable', error)
    if (isolate.channel !== null) isolate.channel.at = Date.now()
    return null
  }
}

/** Reads a new release before the pointer is followed, so that no visitor waits for it. What fails here is judged where it is needed. */
async function readAhead(env: Env, ctx: Background, before: TrustedChannel, { stable }: TrustedChannel): Promise<void> {
  if (stable === null || stable.release === before.stable?.release) return
  try {
    await (await loadRelease(env, behind(ctx), stable, (known) => [...known])).prefetched
  } catch (error) {
    warn('release-not-read-ahead', error, { release: stable.release })
  }
}

async function channelOf(text: string): Promise<TrustedChannel> {
  const { stable, previous } = parseChannel(text)
  let before: Promise<ChannelEntry | null> | undefined
  return {
    stable: await trusted(stable),
    previous() {
      before ??= previous === null ? Promise.resolve(null) : trusted(previous)
      return before
    },
  }
}

async function trusted(entry: { release: string; manifest?: unknown }): Promise<ChannelEntry | null> {
  try {
    return await checkEntry({ release: entry.release, manifest: entry.manifest })
  } catch (error) {
    warn('manifest-refused', error, { release: entry.release })
    return null
  }
}

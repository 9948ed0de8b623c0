import { CHANNEL_KEY, MANIFEST_PREFIX, manifestKey, PACK_PREFIX, packKey } from '../../shared/release/keys.ts'
import { type Channel, type ChannelEntry, checkEntry, type Manifest, ManifestError, parseChannel } from '../../shared/release/manifest.ts'
import type { KvSink } from '../stores/kv-sink.ts'

/** A release that KV still holds, and when it was published (Unix milliseconds; outside its hash). */
export type KeptRelease = ChannelEntry & { publishedAt: number }

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Those of a manifest's packs that KV does not list. */
export async function lostPacks(kv: KvSink, manifest: Manifest): Promise<string[]> {
  const listed = new Set(await kv.list(PACK_PREFIX))
  return packsOf(manifest).filter((hash) => !listed.has(packKey(hash)))
}

/** The hashes of every pack a manifest names. */
export function packsOf(manifest: Manifest): string[] {
  const { core, model, neighbours, display, lists, members } = manifest
  return [...new Set([core, model, ...neighbours, ...display, ...lists, ...members].map((pack) => pack.hash))]
}

/**
 * Null before the first release, and where the stored channel cannot be trusted: whatever stands there, the next night
 * puts a sound one in its place. It is said on standard error, because it means that something damaged it.
 */
export async function readChannel(kv: KvSink): Promise<Channel | null> {
  const bytes = await kv.get(CHANNEL_KEY)
  if (bytes === null) return null
  try {
    return await checkedChannel(bytes)
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error
    process.stderr.write(`The pointer to the live release cannot be trusted (${error.message}); the next night replaces it.\n`)
    return null
  }
}

async function checkedChannel(bytes: Uint8Array): Promise<Channel> {
  const channel = parseChannel(text(bytes))
  const entry = async (unchecked: { release: string; manifest?: unknown } | null): Promise<ChannelEntry | null> =>
    unchecked === null ? null : checkEntry({ release: unchecked.release, manifest: unchecked.manifest })
  const stable = await entry(channel.stable)
  if (stable === null) throw new ManifestError('channel has no stable release')
  return { ...channel, stable, canary: await entry(channel.canary), previous: await entry(channel.previous) }
}

export const writeChannel = (kv: KvSink, channel: Channel): Promise<void> => kv.put([{ key: CHANNEL_KEY, value: JSON.stringify(channel) }])

/** Releases whose manifest is kept, newest first; one that cannot be read is left out, and so its packs are not counted on. */
export async function keptReleases(kv: KvSink): Promise<KeptRelease[]> {
  const kept: KeptRelease[] = []
  for (const key of await kv.list(MANIFEST_PREFIX)) {
    const bytes = await kv.get(key)
    const release = bytes === null ? null : await readKept(key.slice(MANIFEST_PREFIX.length), text(bytes))
    if (release !== null) kept.push(release)
  }
  return kept.sort((a, b) => b.publishedAt - a.publishedAt || (a.release < b.release ? -1 : 1))
}

async function readKept(release: string, json: string): Promise<KeptRelease | null> {
  try {
    const value: { publishedAt: number; manifest: unknown } = JSON.parse(json)
    return { ...(await checkEntry({ release, manifest: value.manifest })), publishedAt: Number(value.publishedAt) }
  } catch {
    return null
  }
}

/** The kept release that was published next before this one: rolling back twice goes back twice, and never forward. */
export async function releaseBefore(kv: KvSink, release: string): Promise<string | undefined> {
  const kept = await keptReleases(kv)
  return kept[kept.findIndex((other) => other.release === release) + 1]?.release
}

export const keptValue = (manifest: Manifest, publishedAt: number): string => JSON.stringify({ publishedAt, manifest })

/** What goes with releases that are dropped from KV: their manifests, and every pack that no kept manifest names. */
export async function droppedKeys(kv: KvSink, dropped: readonly KeptRelease[], kept: readonly KeptRelease[]): Promise<string[]> {
  const named = new Set(kept.flatMap(({ manifest }) => packsOf(manifest)).map(packKey))
  const orphans = (await kv.list(PACK_PREFIX)).filter((key) => !named.has(key))
  return [...dropped.map(({ release }) => manifestKey(release)), ...orphans]
}

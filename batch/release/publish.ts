import { contentHash } from '../../shared/release/hash.ts'
import { manifestKey, packKey } from '../../shared/release/keys.ts'
import { type Channel, type Manifest, releaseId } from '../../shared/release/manifest.ts'
import { InputError } from '../sources/source.ts'
import type { BlobSource } from '../stores/blob-source.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import type { Packs } from './packs.ts'
import { droppedKeys, type KeptRelease, keptReleases, keptValue, lostPacks, packsOf, readChannel, writeChannel } from './release-store.ts'

/** How many releases stay in KV, ready for a roll-back by pointer alone. */
export const KEPT_RELEASES = 7

/** How long a release with imported histories may come back. */
const MEMBER_LIFE_MS = 30 * 86_400_000

export type Published = { release: string; kvWrites: number; kvDeletes: number; changed: boolean }

/**
 * Makes a release live: packs that no kept manifest has yet, then its manifest, then a sample read back, and last the
 * pointer. A crash before the pointer moves leaves what was served untouched; a rerun writes only what is missing.
 * A pack exists where a kept manifest names it and KV lists it; its key is never read to find out, because the edge
 * would remember a miss.
 * @param now Unix milliseconds, for bookkeeping outside the hash
 * @param verify also read every pack that is there, and write those anew that are not the bytes their name says
 */
export async function publish(
  kv: KvSink,
  archive: BlobSource,
  manifest: Manifest,
  packs: Packs,
  now: number,
  verify = false,
): Promise<Published> {
  const { release, channel, missing, stays, dropped } = await intended(kv, manifest, now)
  if (verify) for (const hash of packsOf(manifest)) if (!missing.includes(hash) && !(await isSound(kv, hash))) missing.push(hash)
  await kv.put(missing.map((hash) => ({ key: packKey(hash), value: bytesOf(packs, hash) })))
  if (channel?.stable.release === release) return { release, kvWrites: missing.length, kvDeletes: 0, changed: missing.length > 0 }
  await archiveRelease(archive, release, manifest, packs)
  await kv.put([{ key: manifestKey(release), value: keptValue(manifest, now) }])
  await readBack(kv, sample(packsOf(manifest)))
  const entry = { release, manifest }
  const next: Channel = { v: 1, stable: entry, canary: null, percent: 0, guard: null, previous: channel?.stable ?? null, movedAt: now }
  await writeChannel(kv, next)
  const gone = await droppedKeys(kv, dropped, stays)
  if (gone.length > 0) await kv.delete(gone)
  return { release, kvWrites: missing.length + POINTERS, kvDeletes: gone.length, changed: true }
}

/** The manifest and the channel. */
export const POINTERS = 2

export type Intended = {
  release: string
  channel: Channel | null
  /** Packs that KV does not have. */
  missing: string[]
  /** Releases that KV then holds, this one first, and those that make room for it. */
  stays: KeptRelease[]
  dropped: KeptRelease[]
}

/** What publishing this release means for KV, which is only read. @param now Unix milliseconds */
export async function intended(kv: KvSink, manifest: Manifest, now: number): Promise<Intended> {
  const release = await releaseId(manifest)
  const channel = await readChannel(kv)
  const kept = await keptReleases(kv)
  const named = new Set(kept.flatMap((other) => packsOf(other.manifest)))
  const lost = new Set(await lostPacks(kv, manifest))
  const missing = packsOf(manifest).filter((hash) => lost.has(hash) || !named.has(hash))
  if (channel?.stable.release === release) return { release, channel, missing, stays: kept, dropped: [] }
  const all = [{ release, manifest, publishedAt: now }, ...kept.filter((other) => other.release !== release)]
  const stays = all.filter((other, i) => i < KEPT_RELEASES || other.release === channel?.stable.release)
  return { release, channel, missing, stays, dropped: all.filter((other) => !stays.includes(other)) }
}

/** Points the channel at a kept release. What was stable becomes `previous`. */
export async function pointAt(kv: KvSink, channel: Channel | null, release: string, now: number): Promise<void> {
  const target = (await keptReleases(kv)).find((other) => other.release === release)
  if (target === undefined) throw new InputError(`release ${release} is not in KV; "nightjar releases" lists those that are`)
  // An erased visitor's mark at the edge, which keeps an imported history away, lasts that long and no longer.
  if (target.manifest.members.length > 0 && target.publishedAt < now - MEMBER_LIFE_MS)
    throw new InputError(`release ${release} holds imported histories and is over 30 days old: it cannot be served again; run a night`)
  await readBack(kv, packsOf(target.manifest))
  const { publishedAt: _, ...entry } = target
  const previous = channel?.stable ?? null
  await writeChannel(kv, { v: 1, stable: entry, canary: null, percent: 0, guard: null, previous, movedAt: now })
}

function bytesOf(packs: Packs, hash: string): Uint8Array<ArrayBuffer> {
  const bytes = packs.get(hash)
  if (bytes === undefined) throw new Error(`the manifest names pack ${hash}, which was not encoded`)
  return bytes
}

async function isSound(kv: KvSink, hash: string): Promise<boolean> {
  const bytes = await kv.get(packKey(hash))
  return bytes !== null && (await contentHash(Uint8Array.from(bytes))) === hash
}

/** @throws when a pack is not there or is not the bytes its name says */
async function readBack(kv: KvSink, hashes: readonly string[]): Promise<void> {
  for (const hash of hashes) {
    const bytes = await kv.get(packKey(hash))
    if (bytes === null) throw new Error(`pack ${hash} cannot be read back from KV; the old release stays live`)
    if ((await contentHash(Uint8Array.from(bytes))) !== hash)
      throw new Error(`pack ${hash} reads back with other bytes; the old release stays live`)
  }
}

const sample = (hashes: readonly string[]): string[] => hashes.filter((_, i) => i < 2 || i % 8 === 0)

/** A complete copy in R2, for as long as the bucket's lifecycle rule keeps the prefix (30 days). */
async function archiveRelease(archive: BlobSource, release: string, manifest: Manifest, packs: Packs): Promise<void> {
  for (const hash of packsOf(manifest)) await archive.put(`releases/${release}/${hash}`, bytesOf(packs, hash))
  await archive.put(`releases/${release}/manifest.json`, new TextEncoder().encode(JSON.stringify(manifest)))
}

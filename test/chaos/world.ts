import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import type { Packs } from '../../batch/release/packs.ts'
import { publish } from '../../batch/release/publish.ts'
import { packsOf } from '../../batch/release/release-store.ts'
import type { Stores } from '../../batch/stores/open-stores.ts'
import { type DisplayPack, decodeDisplay } from '../../shared/release/display-pack.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { packKey } from '../../shared/release/keys.ts'
import { type Channel, type Manifest, releaseId } from '../../shared/release/manifest.ts'
import { decodeModel } from '../../shared/release/model-pack.ts'

/** More than an isolate reads at once: some packs come as requests need them. */
const ITEMS = 3000
const BUNDLED = 60

/** A release and what its items look like: each says of which edition it is. */
export type Edition = { release: string; manifest: Manifest; packs: Packs; valuesOf: ReadonlyMap<string, string> }

/** Made-up releases of one catalogue, which tell themselves apart by every item they show. */
export async function makeEdition(
  edition: number,
  change?: (made: { manifest: Manifest; packs: Packs }) => Promise<void>,
): Promise<Edition> {
  const made = await madeUpRelease(ITEMS, edition)
  await change?.(made)
  const { manifest, packs } = made
  const valuesOf = new Map<string, string>()
  for (const { hash, first } of manifest.display) {
    const pack = decodeDisplay(bufferOf(packs, hash))
    for (const [id, values] of rowsOf(pack, first, manifest)) valuesOf.set(id, values)
  }
  return { release: await releaseId(manifest), manifest, packs, valuesOf }
}

function* rowsOf(pack: DisplayPack, first: number, { display, items }: Manifest): Generator<[id: string, values: string]> {
  const next = display.find((other) => other.first > first)?.first ?? items
  for (let slot = first; slot < next; slot++) yield [pack.id(slot), JSON.stringify(JSON.parse(pack.json(slot)))]
}

function bufferOf(packs: Packs, hash: string): ArrayBuffer {
  const bytes = packs.get(hash)
  if (bytes === undefined) throw new Error(`the release has no pack ${hash}`)
  return bytes.buffer
}

/** A ranker that has learned nothing but not-a-number, as from a division by zero. */
export const makeEditionWithoutNumbers = (edition: number): Promise<Edition> =>
  makeEdition(edition, async ({ manifest, packs }) => {
    const bytes = new Uint8Array(bufferOf(packs, manifest.model.hash).slice(0))
    const { w1, skip } = decodeModel(bytes.buffer)
    for (const weights of [w1, skip]) weights.fill(Number.NaN)
    packs.delete(manifest.model.hash)
    manifest.model = { hash: await contentHash(bytes), bytes: bytes.length }
    packs.set(manifest.model.hash, bytes)
  })

export const publishEdition = async (stores: Stores, { manifest, packs }: Edition): Promise<unknown> =>
  publish(stores.kv, stores.blobs, manifest, packs, Date.now())

export const channelOf = (stable: Edition, previous: Edition | null): Channel => ({
  v: 1,
  stable: { release: stable.release, manifest: stable.manifest },
  canary: null,
  percent: 0,
  guard: null,
  previous: previous && { release: previous.release, manifest: previous.manifest },
  movedAt: Date.now(),
})

/** By the key of every pack of `of`, the bytes that stand in its place in `other`. */
export function packsInPlace(of: Edition, other: Edition): Record<string, string> {
  const [own, others] = [packsOf(of.manifest), packsOf(other.manifest)]
  return Object.fromEntries(
    own.map((hash, i) => [packKey(hash), Buffer.from(bufferOf(other.packs, others[Math.min(i, others.length - 1)])).toString('base64')]),
  )
}

/** The site as it is deployed: nothing but the bundled list, whose items are of no release. @returns what they look like */
export function makeSite(folder: string, like: Edition): ReadonlyMap<string, string> {
  const items = [...like.valuesOf].slice(0, BUNDLED).map(([id, values]) => ({ id, values: { ...JSON.parse(values), edition: 0 } }))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bundled.json'), JSON.stringify({ items }))
  return new Map(items.map(({ id, values }) => [id, JSON.stringify(values)]))
}

import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { decodeDisplay } from '../../shared/release/display-pack.ts'
import { packKey } from '../../shared/release/keys.ts'
import { type ChannelEntry, packOfSlot } from '../../shared/release/manifest.ts'
import type { ItemValues } from '../../shared/schemas/recommendations.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import type { Packs } from './packs.ts'
import { packsOf } from './release-store.ts'
import { viewOfPacks } from './view-of-packs.ts'

export type ReadRelease = {
  view: ReleaseView
  packs: Packs
  /** The id and the values of an item. */
  item(index: number): { id: string; values: ItemValues }
}

/** A published release, all of it, as the edge reads it. @throws Error where KV lacks a pack */
export async function readRelease(kv: KvSink, { release, manifest }: ChannelEntry): Promise<ReadRelease> {
  const packs: Packs = new Map()
  for (const hash of packsOf(manifest)) {
    const bytes = await kv.get(packKey(hash))
    if (bytes !== null) packs.set(hash, Uint8Array.from(bytes))
  }
  const view = viewOfPacks(release, manifest, packs)
  const display = manifest.display.map(({ hash }) => decodeDisplay((packs.get(hash) ?? new Uint8Array()).buffer))
  return {
    view,
    packs,
    item(index) {
      const slot = view.core.slot[index]
      const pack = display[packOfSlot(manifest.display, slot)]
      return { id: pack.id(slot), values: JSON.parse(pack.json(slot)) as ItemValues }
    },
  }
}

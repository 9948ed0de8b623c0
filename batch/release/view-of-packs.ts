import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { decodeCore } from '../../shared/release/core-pack.ts'
import { decodeLists } from '../../shared/release/list-pack.ts'
import { type Manifest, packOfSlot } from '../../shared/release/manifest.ts'
import { decodeNeighbours } from '../../shared/release/neighbour-pack.ts'
import type { Packs } from './packs.ts'

/**
 * A release as the edge would see it once every pack is read: evaluation and the ranker's training work on the encoded,
 * quantised bytes and never on what they were made from.
 */
export function viewOfPacks(release: string, manifest: Manifest, packs: Packs): ReleaseView {
  const bytes = (hash: string): ArrayBuffer => {
    const pack = packs.get(hash)
    if (pack === undefined) throw new Error(`the manifest names pack ${hash}, which was not encoded`)
    return pack.buffer
  }
  const core = decodeCore(bytes(manifest.core.hash))
  const neighbours = manifest.neighbours.map((pack) => decodeNeighbours(bytes(pack.hash)))
  const lists = new Map(
    manifest.lists.flatMap((pack) => {
      const decoded = decodeLists(bytes(pack.hash))
      return pack.regions.map((region) => [region, decoded] as const)
    }),
  )
  return {
    release,
    manifest,
    core,
    neighbours: (item) => neighbours[packOfSlot(manifest.neighbours, core.slot[item])]?.row(core.slot[item]),
    list: (region, cohort) => lists.get(region)?.get(region, cohort),
  }
}

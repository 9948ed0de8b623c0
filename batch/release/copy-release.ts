import { packKey } from '../../shared/release/keys.ts'
import type { Stores } from '../stores/open-stores.ts'
import type { Packs } from './packs.ts'
import { type Published, publish } from './publish.ts'
import { packsOf, readChannel } from './release-store.ts'

/**
 * Publishes in `to` what is live in `from`, as a night would. @returns null when nothing is live in `from`
 * @param now Unix milliseconds, for bookkeeping outside the hash @throws when a pack of the live release is gone
 */
export async function copyLiveRelease(from: Stores, to: Stores, now: number): Promise<Published | null> {
  const live = (await readChannel(from.kv))?.stable
  if (live === undefined) return null
  const packs: Packs = new Map()
  for (const hash of packsOf(live.manifest)) {
    const bytes = await from.kv.get(packKey(hash))
    if (bytes === null) throw new Error(`pack ${hash} of the live release ${live.release} is gone; run a night first`)
    packs.set(hash, Uint8Array.from(bytes))
  }
  return publish(to.kv, to.blobs, live.manifest, packs, now)
}

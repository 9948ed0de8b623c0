import type { Overlay } from '../../shared/overlay.ts'
import type { ChannelEntry } from '../../shared/release/manifest.ts'
import type { LoadedRelease } from './loaded-release.ts'
import { PackCache } from './pack-cache.ts'
import { SharedReads } from './shared-reads.ts'

/** The entries of the channel, as far as they can be trusted; the one before is looked at when it is needed. */
export type TrustedChannel = { stable: ChannelEntry | null; previous: () => Promise<ChannelEntry | null> }

type Refreshed<T> = { value: T; at: number }

/**
 * What an isolate keeps between requests. Module state lives as long as the isolate does, which is the cache the
 * platform gives; nothing in it is ever the only copy of anything.
 */
export type IsolateState = {
  /** This and the overlay with the text it was read from: what has not changed is not read anew. */
  channel: (Refreshed<TrustedChannel> & { text: string }) | null
  overlay: (Refreshed<Overlay> & { text: string | null }) | null
  /** By release id, the newest last. */
  releases: Map<string, LoadedRelease>
  packs: PackCache
  reads: SharedReads
}

const PACK_BUDGET = 24 * 1024 * 1024

const fresh = (): IsolateState => ({
  channel: null,
  overlay: null,
  releases: new Map(),
  packs: new PackCache(PACK_BUDGET),
  reads: new SharedReads(),
})

export const isolate: IsolateState = fresh()

/** As if the isolate had just started. */
export function coldStart(): void {
  Object.assign(isolate, fresh())
}

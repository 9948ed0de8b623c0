import type { Overlay } from '../../shared/overlay.ts'
import type { ChannelEntry } from '../../shared/release/manifest.ts'
import type { LoadedRelease } from './loaded-release.ts'
import { PackCache } from './pack-cache.ts'

/** The entries of the channel that could be trusted; `broken` counts those that could not. */
export type TrustedChannel = { stable: ChannelEntry | null; previous: ChannelEntry | null; broken: number }

type Refreshed<T> = { value: T; at: number }

/**
 * What an isolate keeps between requests. Module state lives as long as the isolate does, which is the cache the
 * platform gives; nothing in it is ever the only copy of anything.
 */
export type IsolateState = {
  channel: Refreshed<TrustedChannel> | null
  channelRefresh: Promise<TrustedChannel | null> | null
  overlay: Refreshed<Overlay> | null
  overlayRefresh: Promise<Overlay | null> | null
  /** By release id, the newest last. */
  releases: Map<string, Promise<LoadedRelease>>
  packs: PackCache
}

const PACK_BUDGET = 24 * 1024 * 1024

const fresh = (): IsolateState => ({
  channel: null,
  channelRefresh: null,
  overlay: null,
  overlayRefresh: null,
  releases: new Map(),
  packs: new PackCache(PACK_BUDGET),
})

export const isolate: IsolateState = fresh()

/** As if the isolate had just started. */
export function coldStart(): void {
  Object.assign(isolate, fresh())
}

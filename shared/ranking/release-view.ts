import type { Core } from '../release/core-pack.ts'
import type { List } from '../release/list-pack.ts'
import type { Manifest } from '../release/manifest.ts'
import type { NeighbourRow } from '../release/neighbour-pack.ts'

/**
 * What ranking sees of a release: whatever has been read of it. The edge fills it from KV, the batch from the packs it
 * has just encoded, so that both rank from the same bytes.
 */
export type ReleaseView = {
  release: string
  manifest: Manifest
  core: Core
  /** Undefined where the pack is not at hand: its item then simply has no neighbours. */
  neighbours(item: number): NeighbourRow | undefined
  /** The list of exactly this region and cohort (-1: the whole region). */
  list(region: string, cohort: number): List | undefined
}

/** What a visitor did with an item; later kinds imply the earlier ones. */
export const VIEWED = 0
export const IN_CART = 1
export const PURCHASED = 2
export type Deed = typeof VIEWED | typeof IN_CART | typeof PURCHASED

/** One item of a visitor's past and how many seconds ago it was. A history has distinct items, newest first. */
export type HistoryItem = { item: number; deed: Deed; age: number }

import type { Deed } from './ranking/release-view.ts'

/** How many distinct items a visitor's object remembers, and how many of them travel in the memory token. */
export const REMEMBERED_ITEMS = 50
export const TOKEN_ITEMS = 20

/**
 * A visitor's recent past as the edge ranks from it, newest first, distinct items. Items are itemHash values under salt 0,
 * because a token outlives releases; a release whose catalogue needed another salt reads the object instead.
 */
export type Memory = { items: { hash: number; deed: Deed; at: number }[] }

import { REMEMBERED_ITEMS } from '../../shared/memory.ts'
import type { Deed } from '../../shared/ranking/release-view.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import type { Preferences } from '../../shared/schemas/visitors.ts'

/** One item of a visitor's past; `at` in Unix milliseconds. */
export type VisitorItem = { id: string; deed: Deed; at: number }

/** All that is kept of a visitor. */
export type VisitorState = {
  v: 2
  /** As decided so far; a no stays until it is taken back. */
  consent: Consents
  /** Distinct, newest first, at most REMEMBERED_ITEMS. */
  items: VisitorItem[]
  /** Ids of what was bought, newest first; longer than `items`, so that what was bought is still left out later. */
  purchased: string[]
  /** What the visitor said they like; answers begin from it until there is a first deed. */
  preferences?: Preferences
  /** When the object was made and last written, Unix milliseconds. */
  createdAt: number
  updatedAt: number
}

/** @param json as an object keeps it */
export const parseState = (json: string): VisitorState => JSON.parse(json)

export const REMEMBERED_PURCHASES = 200
const PURCHASE: Deed = 2

export const newState = (consent: Consents, now: number): VisitorState => ({
  v: 2,
  consent,
  items: [],
  purchased: [],
  createdAt: now,
  updatedAt: now,
})

/** The state after further deeds: an item stands where it was last touched, with the most committed of its deeds. */
export function remember(state: VisitorState, deeds: readonly VisitorItem[], now: number): VisitorState {
  const kept = new Map<string, VisitorItem>()
  for (const item of [...deeds, ...state.items].sort((a, b) => b.at - a.at)) {
    const newer = kept.get(item.id)
    if (newer === undefined) kept.set(item.id, { ...item })
    else if (item.deed > newer.deed) newer.deed = item.deed
  }
  const bought = deeds.filter(({ deed }) => deed === PURCHASE).sort((a, b) => b.at - a.at)
  const purchased = new Set([...bought.map(({ id }) => id), ...state.purchased])
  return {
    ...state,
    items: [...kept.values()].slice(0, REMEMBERED_ITEMS),
    purchased: [...purchased].slice(0, REMEMBERED_PURCHASES),
    updatedAt: now,
  }
}

/** One past of two: what either did, newest first. */
export function joined(state: VisitorState, other: VisitorState, now: number): VisitorState {
  const { items, purchased } = remember(state, other.items, now)
  return {
    ...other,
    ...state,
    items,
    purchased: [...new Set([...purchased, ...other.purchased])].slice(0, REMEMBERED_PURCHASES),
    updatedAt: now,
  }
}

/** The state after a no to personalisation: the visitor's own decision is all that is left. */
export const forget = (state: VisitorState, consent: Consents, now: number): VisitorState => ({
  ...newState(consent, now),
  createdAt: state.createdAt,
})

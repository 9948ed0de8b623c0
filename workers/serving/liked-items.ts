import { type HistoryItem, VIEWED } from '../../shared/ranking/release-view.ts'
import type { Preferences } from '../../shared/schemas/visitors.ts'
import { indicesOf } from '../releases/item-index.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { filledUp } from './list-slate.ts'
import { categoryIndices } from './policy.ts'
import { distinct } from './visit.ts'

/** How many of a category's items stand for it. */
const ITEMS_A_CATEGORY = 3

/**
 * What a visitor said they like, as a history to rank from while they have none of their own: the items they chose, then the
 * best of each category where they are.
 */
export function likedItems(
  release: LoadedRelease,
  regions: readonly string[],
  liked: Preferences,
  allow: (item: number) => boolean,
): HistoryItem[] {
  const best = liked.categories.flatMap((category) => {
    const indices = categoryIndices(release.core, category)
    const within = (item: number): boolean => allow(item) && indices?.has(release.core.category[item]) === true
    const { shown } = filledUp(release, regions, within, { shown: [], rung: 'region-list' }, ITEMS_A_CATEGORY)
    return shown.slice(0, ITEMS_A_CATEGORY).map(({ item }) => item)
  })
  return distinct([...indicesOf(release, liked.items), ...best].map((item) => ({ item, deed: VIEWED, age: 0 })))
}

/** How a ranked list of candidates becomes what is shown. Positions refer to the ranking's candidate columns. */

/** At most this share of a slate may be of one category, while there is something else to show. */
const CATEGORY_SHARE = 0.4
/** Where a new item is shown when none made it by itself: high enough to be seen, low enough to cost little. */
export const NEW_ITEM_POSITION = 5

/**
 * Keeps the order, but moves what exceeds its category's share behind the rest of the first `length`.
 * @param categoryOf 0 = none, never capped
 */
export function capCategories(order: readonly number[], categoryOf: (position: number) => number, length: number): number[] {
  const most = Math.max(2, Math.ceil(length * CATEGORY_SHARE))
  const shown = new Map<number, number>()
  const kept: number[] = []
  const moved: number[] = []
  for (const position of order) {
    const category = categoryOf(position)
    const count = shown.get(category) ?? 0
    if (category !== 0 && count >= most && kept.length < length) moved.push(position)
    else {
      shown.set(category, count + 1)
      kept.push(position)
    }
  }
  return [...kept.slice(0, length), ...moved, ...kept.slice(length)]
}

/** Gives the best new candidate a place among the first `length` when ranking alone gave none. */
export function placeNewItem(
  order: readonly number[],
  isNew: (position: number) => boolean,
  length: number,
): { order: number[]; placed: number | null } {
  if (length <= NEW_ITEM_POSITION || order.slice(0, length).some(isNew)) return { order: [...order], placed: null }
  const placed = order.find(isNew)
  if (placed === undefined) return { order: [...order], placed: null }
  const rest = order.filter((position) => position !== placed)
  return { order: [...rest.slice(0, NEW_ITEM_POSITION), placed, ...rest.slice(NEW_ITEM_POSITION)], placed }
}

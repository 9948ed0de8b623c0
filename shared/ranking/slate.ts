/**
 * How a ranked list of candidates becomes what is shown. Positions refer to the ranking's candidate columns. Nothing here
 * depends on how many items the caller asked for: a page and the next one must be parts of the same list.
 */

/** Within so many consecutive places … */
const WINDOW = 10
/** … at most so many may be of one category, while there is something else to show. */
const MOST_OF_ONE_CATEGORY = 4
/** Where a new item is shown when none made it by itself: high enough to be seen, low enough to cost little. */
export const NEW_ITEM_POSITION = 5

/**
 * Keeps the order, but lets no window of ten be filled by one category: what exceeds its share waits for the next window.
 * @param categoryOf 0 = none, never capped
 */
export function capCategories(order: readonly number[], categoryOf: (position: number) => number): number[] {
  const arranged: number[] = []
  let waiting = [...order]
  while (waiting.length > 0) {
    const size = Math.min(WINDOW, waiting.length)
    const shown = new Map<number, number>()
    const taken: number[] = []
    const passed: number[] = []
    for (const position of waiting) {
      const category = categoryOf(position)
      const count = shown.get(category) ?? 0
      if (taken.length === size || (category !== 0 && count >= MOST_OF_ONE_CATEGORY)) passed.push(position)
      else {
        shown.set(category, count + 1)
        taken.push(position)
      }
    }
    arranged.push(...taken, ...passed.slice(0, size - taken.length))
    waiting = passed.slice(size - taken.length)
  }
  return arranged
}

/** Gives the best new candidate a place in the first window when ranking alone gave none. */
export function placeNewItem(order: readonly number[], isNew: (position: number) => boolean): { order: number[]; placed: number | null } {
  if (order.slice(0, WINDOW).some(isNew)) return { order: [...order], placed: null }
  const placed = order.find(isNew)
  if (placed === undefined) return { order: [...order], placed: null }
  const rest = order.filter((position) => position !== placed)
  return { order: [...rest.slice(0, NEW_ITEM_POSITION), placed, ...rest.slice(NEW_ITEM_POSITION)], placed }
}

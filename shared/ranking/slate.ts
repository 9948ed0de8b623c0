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

/** By category, how many the window that is being filled has; nought between windows. Categories take 16 bits in the core. */
const shown = new Uint8Array(0x10000)

/** Reused from call to call. */
let chain = new Uint32Array(0)

/**
 * Keeps the order, but lets no window of ten be filled by one category: what exceeds its share waits for the next window.
 * Who waits is a chain, so that a window costs what it looks at and not what is left.
 * @param categoryOf 0 = none, never capped
 * @param isEnough asked after each window: the rest is then left out
 */
export function capCategories(
  order: ArrayLike<number>,
  categoryOf: (position: number) => number,
  isEnough: (arranged: readonly number[]) => boolean = () => false,
): number[] {
  const { length } = order
  const arranged: number[] = []
  const end = length
  // after[i] is who waits behind the i-th; the one before the first stands at the end.
  if (chain.length <= length) chain = new Uint32Array(length + 1)
  const after = chain
  after[end] = 0
  for (let i = 0; i < end; i++) after[i] = i + 1
  const take = (before: number): void => {
    const taken = after[before]
    arranged.push(order[taken])
    after[before] = after[taken]
  }
  while (arranged.length < length && !isEnough(arranged)) {
    const first = arranged.length
    const full = Math.min(length, first + WINDOW)
    for (let before = end; after[before] !== end && arranged.length < full; ) {
      const category = categoryOf(order[after[before]])
      if (category !== 0 && shown[category] >= MOST_OF_ONE_CATEGORY) before = after[before]
      else {
        shown[category]++
        take(before)
      }
    }
    for (let i = first; i < arranged.length; i++) shown[categoryOf(arranged[i])] = 0
    // Nothing else is left to show: the window takes those that wait, in their order.
    while (arranged.length < full) take(end)
  }
  return arranged
}

/** Gives the best new candidate a place in the first window when ranking alone gave none. */
export function placeNewItem(
  order: readonly number[],
  isNew: (position: number) => boolean,
): { order: readonly number[]; placed: number | null } {
  const first = order.findIndex(isNew)
  if (first < WINDOW) return { order, placed: null }
  const placed = order[first]
  return {
    order: [...order.slice(0, NEW_ITEM_POSITION), placed, ...order.slice(NEW_ITEM_POSITION, first), ...order.slice(first + 1)],
    placed,
  }
}

import type { Core } from '../release/core-pack.ts'
import { agedAt } from './features.ts'

/**
 * What features need of an item alone: it is the same for everyone as long as the release is. An item's numbers lie side by side,
 * because an answer wants those of hundreds of items here and there, and each is then one piece of memory to fetch instead of seven.
 */
export type ItemFeatures = {
  /** Place of the item's first number here: ITEM_NUMBERS times its index. */
  numbers: Float32Array
  /** Natural logarithms of prices, by the same places over two; NaN where the price is not known. */
  logPrice: Float64Array
}

/** Numbers an item has. The first two are the logarithm's room. */
const ITEM_NUMBERS = 8
export const POPULARITY = 2
export const TREND = 3
export const AGED = 4
export const REPEAT = 5
export const CATEGORY = 6
const MADE = 7

const made = new WeakMap<Core, ItemFeatures>()

export function itemFeatures(core: Core): ItemFeatures {
  let known = made.get(core)
  if (known === undefined) {
    const buffer = new ArrayBuffer(4 * ITEM_NUMBERS * core.items)
    known = { numbers: new Float32Array(buffer), logPrice: new Float64Array(buffer) }
    made.set(core, known)
  }
  return known
}

/** Makes an item's numbers when it is first a candidate. @returns the place of the first */
export function placeOfItem({ numbers, logPrice }: ItemFeatures, core: Core, item: number): number {
  const at = ITEM_NUMBERS * item
  if (numbers[at + MADE] === 0) {
    numbers[at + MADE] = 1
    logPrice[at / 2] = core.price[item] > 0 ? Math.log(core.price[item]) : Number.NaN
    numbers[at + POPULARITY] = core.popularity[item] / 255
    numbers[at + TREND] = (core.trend[item] - 128) / 128
    numbers[at + AGED] = agedAt(core, item, 0)
    numbers[at + REPEAT] = core.repeat[item] / 255
    numbers[at + CATEGORY] = core.category[item]
  }
  return at
}

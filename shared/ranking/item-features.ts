import type { Core } from '../release/core-pack.ts'

/**
 * What features need of an item alone, by item: it is the same for everyone as long as the release is. An entry is made when
 * an item is first a candidate; 0 = not made yet, and what is 0 is made anew each time.
 */
export type ItemFeatures = { logPrice: Float64Array; aged: Float32Array }

const made = new WeakMap<Core, ItemFeatures>()

export function itemFeatures(core: Core): ItemFeatures {
  let known = made.get(core)
  if (known === undefined) {
    known = { logPrice: new Float64Array(core.items), aged: new Float32Array(core.items) }
    made.set(core, known)
  }
  return known
}

/** Natural logarithm of the item's price, which must be known. */
export function logPriceOf({ logPrice }: ItemFeatures, { price }: Core, item: number): number {
  const known = logPrice[item]
  if (known !== 0) return known
  logPrice[item] = Math.log(price[item])
  return logPrice[item]
}

/** Logarithm of its age, 1 = three years. */
export function agedOf({ aged }: ItemFeatures, { age }: Core, item: number): number {
  const known = aged[item]
  if (known !== 0) return known
  aged[item] = Math.min(1, Math.log1p(age[item]) / 7)
  return aged[item]
}

import { AVAILABLE, type Core } from '../../shared/release/core-pack.ts'
import { isOpen } from '../../shared/schemas/items.ts'
import type { Filter } from '../../shared/schemas/recommendations.ts'
import type { LiveRelease } from '../releases/with-overlay.ts'

/** Most answers leave nothing out by name. */
const NONE: ReadonlySet<number> = new Set()

/** What may be shown at all: in stock, not hidden, in its time, not excluded, and through the caller's filter. @param now Unix milliseconds */
export function allowedItems(release: LiveRelease, exclude: readonly number[], filter: Filter, now: number): (item: number) => boolean {
  const { core, barred, windows } = release
  const excluded = exclude.length === 0 ? NONE : new Set(exclude)
  const shut = windows.size === 0 ? NONE : new Set([...windows].filter(([, window]) => !isOpen(window, now)).map(([item]) => item))
  const categories = categoryIndices(core, filter.category)
  const inStock = filter.available !== false
  const priced = filter.minPrice !== undefined || filter.maxPrice !== undefined
  return (item) => {
    if (inStock && (core.flags[item] & AVAILABLE) === 0) return false
    if ((barred.size > 0 && barred.has(item)) || (excluded.size > 0 && excluded.has(item)) || (shut.size > 0 && shut.has(item)))
      return false
    if (categories !== null && !categories.has(core.category[item])) return false
    return !priced || withinPrices(core.price[item], filter)
  }
}

/** Prices are kept as float32: one that equals the bound must not fall out by rounding. An unknown price (0) meets no bound. */
function withinPrices(price: number, { minPrice, maxPrice }: Filter): boolean {
  return price > 0 && price >= Math.fround(minPrice ?? 0) && price <= Math.fround(maxPrice ?? Number.POSITIVE_INFINITY)
}

/** The indices of categories by their names, those that the release knows; null where none is asked for. */
export function categoryIndices(core: Core, wanted: Filter['category']): Set<number> | null {
  if (wanted === undefined) return null
  const names = new Set(typeof wanted === 'string' ? [wanted] : wanted)
  return new Set(core.categories.flatMap((name, index) => (index > 0 && names.has(name) ? [index] : [])))
}

import { randomStream } from '../../shared/random.ts'
import type { DeviceClass, ReferrerClass } from '../../shared/ranking/visit-context.ts'
import { categories, devices, habits, homes, referrers, styles } from './shop-words.ts'

/** An item of the generated shop, and the truth about it that no model sees. */
export type ShopItem = {
  id: string
  title: string
  category: number
  style: number
  price: number
  colour: string
  material: string
  description: string
  /** How much it is wanted by anyone, before taste. */
  appeal: number
  /** Items of the same collection in other categories, bought along with it. */
  complements: number[]
  /** Days before the end of the history at which it was first listed. */
  listedDaysAgo: number
  /** The country in which it has been rising for a week, or ''. */
  risingIn: string
}

/** What a simulated visitor likes: a weight for every category and style. */
export type Taste = { country: string; categories: number[]; styles: number[] }

const ITEMS = 900

export const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]

/** An index drawn in proportion to its weight. */
export function draw(random: () => number, weights: readonly number[]): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i]
    if (left < 0) return i
  }
  return weights.length - 1
}

/** The catalogue; the same seed gives the same shop. */
export function shopItems(seed: number): ShopItem[] {
  const random = randomStream(seed)
  const titles = new Set<string>()
  const items: ShopItem[] = []
  while (items.length < ITEMS) {
    const category = draw(
      random,
      categories.map((entry) => entry.things.length),
    )
    const style = Math.floor(random() * styles.length)
    const material = pick(random, categories[category].materials)
    const collection = pick(random, styles[style].collections)
    const colour = pick(random, styles[style].colours)
    const thing = pick(random, categories[category].things)
    const title = `${collection} ${material} ${thing}`
    if (titles.has(title)) continue
    titles.add(title)
    const [low, high] = categories[category].price
    const n = items.length
    items.push({
      id: `nj-${String(n + 1).padStart(4, '0')}`,
      title,
      category,
      style,
      price: Math.round(low * (high / low) ** random()) - 0.05,
      colour,
      material,
      description: `${title} in ${colour}, from our ${collection} collection.`,
      appeal: 1 / (1 + Math.floor(random() * ITEMS)) ** 0.7,
      complements: [],
      listedDaysAgo: n % 30 === 0 ? Math.floor(random() * 7) : 60 + Math.floor(random() * 300),
      risingIn: n % 40 === 7 ? homes[Math.floor(n / 40) % homes.length].country : '',
    })
  }
  for (const item of items) item.complements = complementsOf(item, items, random)
  return items
}

function complementsOf(item: ShopItem, items: readonly ShopItem[], random: () => number): number[] {
  const fitting = items.flatMap((other, i) => (other.style === item.style && other.category !== item.category ? [i] : []))
  return Array.from({ length: 3 }, () => pick(random, fitting))
}

export function shopTaste(random: () => number): Taste {
  const home =
    homes[
      draw(
        random,
        homes.map(({ share }) => share),
      )
    ]
  return tasteIn(home.country, random)
}

/** A visitor of this country: two or three favourite categories, one or two favourite styles, the country's a bit more. */
export function tasteIn(country: string, random: () => number): Taste {
  const likes = homes.find((home) => home.country === country)?.likes ?? []
  const favour = (length: number, most: number): number[] => {
    const weights = new Array<number>(length).fill(0.15)
    for (let i = 0; i <= Math.floor(random() * most); i++) weights[Math.floor(random() * length)] += 2
    return weights
  }
  const styleWeights = favour(styles.length, 2).map((weight, i) => weight * (likes.includes(styles[i].name) ? 2.5 : 1))
  return { country, categories: favour(categories.length, 3), styles: styleWeights }
}

/** By what, and from where, a visitor of this taste comes. */
export type Arrival = { device: DeviceClass; referrer: ReferrerClass }

const HABIT = 4

export function shopArrival({ styles: liked }: Taste, random: () => number): Arrival {
  const habit = habits[styles[liked.indexOf(Math.max(...liked))].name]
  const one = <T extends string>(weights: Readonly<Partial<Record<T, number>>>, usual: T): T => {
    const names = Object.keys(weights) as T[]
    return names[
      draw(
        random,
        names.map((name) => (weights[name] ?? 0) * (name === usual ? HABIT : 1)),
      )
    ]
  }
  return { device: one(devices, habit.device), referrer: one(referrers, habit.referrer) }
}

/** How much a visitor wants an item, on a day `daysAgo` before the end of the history (0 = listed later: not yet there). */
export function desire(taste: Taste, item: ShopItem, daysAgo: number): number {
  if (daysAgo > item.listedDaysAgo) return 0
  const rising = item.risingIn === taste.country && daysAgo < 7 ? 12 : 1
  const fresh = item.listedDaysAgo < 7 ? 3 : 1
  return item.appeal * taste.categories[item.category] * taste.styles[item.style] * rising * fresh
}

import { once } from 'node:events'
import { createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { randomStream } from '../../shared/random.ts'
import { type Arrival, desire, draw, pick, type ShopItem, shopArrival, shopItems, shopTaste, type Taste } from './shop-model.ts'
import { categories, styles } from './shop-words.ts'

export type ShopOptions = {
  seed: number
  visitors: number
  days: number
  /** Unix seconds at which the history ends. */
  end: number
}

type Row = { id: string; visitor: string; item: string; at: number; kind: string; country: string } & Arrival

const DAY = 86_400

/**
 * Writes the shop's history and catalogue to `folder` as NDJSON. Visits are spread over `days`; within one, a visitor
 * looks at what they like, at things like the last one, and at what goes with it; some goes into the cart, some is bought.
 */
export async function generateShop(folder: string, options: ShopOptions): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const items = shopItems(options.seed)
  const catalogue = items.map((item) =>
    JSON.stringify({
      item: item.id,
      title: item.title,
      category: categories[item.category].name,
      price: item.price,
      first_seen: options.end - item.listedDaysAgo * DAY,
      properties: { colour: item.colour, material: item.material, style: styles[item.style].name, description: item.description },
    }),
  )
  writeFileSync(join(folder, 'items.ndjson'), `${catalogue.join('\n')}\n`)
  const file = join(folder, 'events.ndjson')
  const out = createWriteStream(`${file}.part`)
  for (const row of shopHistory(items, options)) if (!out.write(`${JSON.stringify(row)}\n`)) await once(out, 'drain')
  out.end()
  await finished(out)
  renameSync(`${file}.part`, file)
  writeFileSync(join(folder, 'shop.json'), JSON.stringify(options))
}

function* shopHistory(items: readonly ShopItem[], { seed, visitors, days, end }: ShopOptions): Generator<Row> {
  const random = randomStream(seed + 1)
  // A stream of its own: how visitors come changes nothing of what they do.
  const arriving = randomStream(seed + 2)
  let event = 0
  for (let v = 0; v < visitors; v++) {
    const taste = shopTaste(random)
    const { device } = shopArrival(taste, arriving)
    const visits = 1 + Math.floor(-Math.log(1 - random()) * 3)
    for (let visit = 0; visit < visits; visit++) {
      const start = end - Math.floor(1 + random() * (days * DAY - 7200))
      const { referrer } = shopArrival(taste, arriving)
      let at = start
      for (const { item, kind } of browse(items, taste, (end - start) / DAY, random)) {
        at += 5 + Math.floor(random() * 90)
        if (at >= end) break
        yield { id: `shop-${event++}`, visitor: `member-${v}`, item: items[item].id, at, kind, country: taste.country, device, referrer }
      }
    }
  }
}

/** One visit: what is looked at, put in the cart and bought, in order. */
export function* browse(
  items: readonly ShopItem[],
  taste: Taste,
  daysAgo: number,
  random: () => number,
): Generator<{ item: number; kind: 'item_view' | 'add_to_cart' | 'purchase' }> {
  const wants = items.map((item) => desire(taste, item, daysAgo))
  const cart: number[] = []
  let item = draw(random, wants)
  const steps = 2 + Math.floor(-Math.log(1 - random()) * 5)
  for (let step = 0; step < steps; step++) {
    yield { item, kind: 'item_view' }
    let wanted = false
    const fits = taste.categories[items[item].category] > 1 || taste.styles[items[item].style] > 1
    if (random() < (fits ? 0.25 : 0.05) && !cart.includes(item)) {
      cart.push(item)
      wanted = true
      yield { item, kind: 'add_to_cart' }
    }
    item = nextItem(items, wants, item, wanted ? 0.7 : 0.05, random)
  }
  if (random() < 0.55) for (const bought of cart) yield { item: bought, kind: 'purchase' }
}

/** After something went into the cart, often what goes with it; else more of its kind, or something else that is liked. */
function nextItem(items: readonly ShopItem[], wants: readonly number[], item: number, complement: number, random: () => number): number {
  if (random() < complement) return pick(random, items[item].complements)
  if (random() < 0.65) {
    const { category, style } = items[item]
    const alike = wants.map((want, i) => (i === item || items[i].category !== category ? 0 : want * (items[i].style === style ? 4 : 1)))
    if (alike.some((want) => want > 0)) return draw(random, alike)
  }
  return draw(random, wants)
}

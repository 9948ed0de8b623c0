import { randomUUID } from 'node:crypto'
import { randomStream } from '../../shared/random.ts'
import type { Event, EventsAnswer } from '../../shared/schemas/events.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { SHOP_SEED } from '../sources/shop.ts'
import { type Arrival, desire, type ShopItem, shopArrival, shopItems, shopTaste, type Taste } from '../sources/shop-model.ts'
import { InputError } from '../sources/source.ts'

export type SimulateOptions = { url: string; visitors: number; seed: number; writeKey: string }
export type Outcome = { visitors: number; answers: number; shown: number; clicks: number; purchases: number; events: number }

const LOOKS = 5
const SLATE = 12
const AT_ONCE = 4

/** Visitors of the demo shop's kind browse a running edge, clicking on what is shown by the tastes its history was made of. */
export async function simulate(options: SimulateOptions): Promise<Outcome> {
  const shop = new Map(shopItems(SHOP_SEED).map((item) => [item.id, item]))
  const outcome: Outcome = { visitors: 0, answers: 0, shown: 0, clicks: 0, purchases: 0, events: 0 }
  let next = 0
  const browse = async (): Promise<void> => {
    while (next < options.visitors) {
      const random = randomStream(options.seed * 1_000_003 + next++)
      await visit(options, shop, shopTaste(random), random, outcome)
      outcome.visitors++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, browse))
  return outcome
}

/** Where a visitor is, and how they come. */
type From = Arrival & { country: string }

/** Names that browsers of a class give themselves, as far as the class goes by them. */
const BROWSERS: Record<Arrival['device'], string> = {
  phone: 'Mozilla/5.0 (Linux; Android 10; K) Mobile',
  tablet: 'Mozilla/5.0 (Linux; Android 10; K)',
  desktop: 'Mozilla/5.0 (X11; Linux x86_64)',
  other: 'nightjar-simulate',
}
const REFERRERS: Record<Arrival['referrer'], string | undefined> = {
  none: '',
  internal: undefined,
  search: 'https://www.google.com/',
  social: 'https://www.instagram.com/',
  email: 'https://mail.google.com/',
  other: 'https://blog.example/',
}

async function visit(
  { url, writeKey }: SimulateOptions,
  shop: Map<string, ShopItem>,
  taste: Taste,
  random: () => number,
  outcome: Outcome,
): Promise<void> {
  const from: From = { country: taste.country, ...shopArrival(taste, random) }
  const referrer = REFERRERS[from.referrer]
  const { visitor } = await post<{ visitor: string }>(url, '/v1/visitors', { writeKey, consent: 'granted' }, from)
  let token: string | undefined
  const cart: string[] = []
  const send = async (events: Event[]): Promise<void> => {
    const answer = await post<EventsAnswer>(url, '/v1/events', { writeKey, visitor, consent: 'granted', token, referrer, events }, from)
    outcome.events += events.length
    token = answer.token ?? token
  }
  for (let look = 0; look < LOOKS; look++) {
    const body = { writeKey, visitor, consent: 'granted', token, referrer, scenario: 'home', limit: SLATE, region: taste.country }
    const answer = await post<RecommendationAnswer>(url, '/v1/recommendations', body, from)
    outcome.answers++
    const { recommId } = answer
    const items = answer.items.map(({ id }) => id)
    if (items.length === 0) return
    outcome.shown += items.length
    const events: Event[] = [{ id: randomUUID(), type: 'impression', items, recommId, scenario: 'home' }]
    const liked = items.findIndex((id) => random() < clickChance(taste, shop.get(id)))
    if (liked >= 0) {
      outcome.clicks++
      events.push({ id: randomUUID(), type: 'click', item: items[liked], recommId, position: liked + 1, scenario: 'home' })
      if (random() < 0.3) {
        cart.push(items[liked])
        events.push({ id: randomUUID(), type: 'add_to_cart', item: items[liked], recommId })
      }
    }
    await send(events)
  }
  if (cart.length > 0 && random() < 0.6) {
    outcome.purchases += cart.length
    await send([{ id: randomUUID(), type: 'purchase', items: cart.map((item) => ({ item })) }])
  }
}

/** An item the visitor wants twice as much is clicked about twice as often; nothing unknown ever is. */
function clickChance(taste: Taste, item: ShopItem | undefined): number {
  return item === undefined ? 0 : Math.min(0.5, 0.6 * Math.sqrt(desire(taste, item, 0)))
}

async function post<T>(url: string, path: string, body: unknown, { country, device }: From): Promise<T> {
  const answer = await fetch(new URL(path, url), {
    method: 'POST',
    // A local edge takes the visitor's country from this header; a deployed one knows better and ignores it.
    headers: {
      'content-type': 'application/json',
      'user-agent': BROWSERS[device],
      'mf-cf-blob': JSON.stringify({ country, clientAcceptEncoding: 'gzip' }),
    },
    body: JSON.stringify(body),
  }).catch((error: unknown) => {
    throw new InputError(`${url} does not answer (${error instanceof Error ? error.message : String(error)})`)
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
  return (await answer.json()) as T
}

import { randomStream } from '../../shared/random.ts'
import { decodeCore } from '../../shared/release/core-pack.ts'
import { decodeDisplay } from '../../shared/release/display-pack.ts'
import { packKey } from '../../shared/release/keys.ts'
import { type Manifest, packOfSlot } from '../../shared/release/manifest.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import { inParallel } from '../stores/in-parallel.ts'
import type { KvSink } from '../stores/kv-sink.ts'

export const WRITE_KEY = 'bench'

/** A visitor with a history at the edge: the id it minted, and the token of their last click. */
export type Shopper = { visitor: string; token: string }

const CLICKS = 10

/** The ids of a published release's items, the most popular first. */
export async function itemsByPopularity(kv: KvSink, manifest: Manifest): Promise<string[]> {
  const buffer = async (hash: string): Promise<ArrayBuffer> => {
    const bytes = await kv.get(packKey(hash))
    if (bytes === null) throw new Error(`pack ${hash} is not in KV`)
    return Uint8Array.from(bytes).buffer
  }
  const core = decodeCore(await buffer(manifest.core.hash))
  const display = await Promise.all(manifest.display.map(async ({ hash }) => decodeDisplay(await buffer(hash))))
  return Array.from({ length: core.items }, (_, item) => item)
    .sort((a, b) => core.popularity[b] - core.popularity[a] || a - b)
    .map((item) => display[packOfSlot(manifest.display, core.slot[item])].id(core.slot[item]))
}

/** Draws from `values` by Zipf's law: the i-th as often as 1 / i. */
export function zipf<T>(values: readonly T[], seed: number): () => T {
  const random = randomStream(seed)
  const sums = new Float64Array(values.length)
  let sum = 0
  for (let i = 0; i < values.length; i++) {
    sum += 1 / (i + 1)
    sums[i] = sum
  }
  return () => {
    const drawn = random() * sum
    const at = sums.findIndex((upTo) => upTo > drawn)
    return values[at < 0 ? values.length - 1 : at]
  }
}

/** What each of so many shoppers clicks first: ten items, drawn by Zipf's law. */
export function historiesOf(items: readonly string[], count: number): string[][] {
  const draw = zipf(items, 1)
  return Array.from({ length: count }, () => {
    const clicked = new Set<string>()
    for (let tries = 0; clicked.size < CLICKS && tries < 100 * CLICKS; tries++) clicked.add(draw())
    return [...clicked]
  })
}

/** Visitors who arrive, say yes, and click what `historiesOf` says, in its order. */
export async function bringShoppers(url: string, items: readonly string[], count: number, writeKey = WRITE_KEY): Promise<Shopper[]> {
  const now = Date.now()
  const shoppers: Shopper[] = []
  await inParallel([...historiesOf(items, count).entries()], async ([i, history]) => {
    const { visitor } = await post<{ visitor: string }>(`${url}/v1/visitors`, { writeKey, consent: 'granted' })
    const events = history.map((item, k) => ({ id: `arrive-${i}-${k}`, type: 'click', item, at: now - 20_000 * (CLICKS - k) }))
    const { token } = await post<EventsAnswer>(`${url}/v1/events`, { writeKey, visitor, consent: 'granted', events })
    if (token === undefined) throw new Error('the edge gave a visitor who clicked no token')
    shoppers[i] = { visitor, token }
  })
  return shoppers
}

export async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${new URL(url).pathname} answered ${answer.status}: ${text.slice(0, 200)}`)
  return JSON.parse(text)
}

import type { LoadRequest } from './load.ts'
import { type Shopper, WRITE_KEY, zipf } from './shoppers.ts'

/** What is measured at a warm isolate, the floor first. */
export const scenarios = ['floor', 'token', 'object', 'list', 'similar', 'rank', 'event'] as const
export type Scenario = (typeof scenarios)[number]

const REQUESTS = 1000
/** Items that a caller has ranked at once. */
const RANKED = 100

function distinct(draw: () => string, most: number): string[] {
  const drawn = new Set<string>()
  for (let tries = 0; drawn.size < most && tries < 20 * most; tries++) drawn.add(draw())
  return [...drawn]
}

/** Requests of visitors drawn by Zipf's law: a few come often, most seldom. */
export function requestsOf(scenario: Scenario, shoppers: readonly Shopper[], items: readonly string[]): LoadRequest[] {
  const shopper = zipf(shoppers, 2)
  const item = zipf(items, 3)
  const many = (make: (i: number) => LoadRequest): LoadRequest[] => Array.from({ length: REQUESTS }, (_, i) => make(i))
  const post = (path: string, body: object): LoadRequest => ({
    method: 'POST',
    path,
    body: JSON.stringify({ writeKey: WRITE_KEY, consent: 'granted', ...body }),
  })
  switch (scenario) {
    case 'floor':
      return [{ method: 'GET', path: '/bench/floor' }]
    case 'token':
      return many(() => post('/v1/recommendations', shopper()))
    case 'object':
      return many(() => post('/v1/recommendations', { visitor: shopper().visitor }))
    case 'list':
      return [{ method: 'GET', path: '/v1/lists/GB/popular' }]
    case 'similar':
      return many(() => ({ method: 'GET', path: `/v1/items/${encodeURIComponent(item())}/similar` }))
    case 'rank':
      return many(() => post('/v1/rank', { ...shopper(), items: distinct(item, RANKED) }))
    case 'event':
      // One after the other: by Zipf's law the first would soon have posted all that a visitor may in a minute.
      return many((i) =>
        post('/v1/events', {
          ...shoppers[i % shoppers.length],
          events: [{ id: `load-${String(i).padStart(8, '0')}`, type: 'click', item: item() }],
        }),
      )
  }
}

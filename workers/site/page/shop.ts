import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import { type Asked, nightjar, type Slate } from '../sdk/nightjar.ts'
import { regions } from './words.ts'

export type Answer = Slate
export type Item = RecommendedItem

const stored = (name: string): string | null => {
  try {
    return sessionStorage.getItem(name)
  } catch {
    return null
  }
}
const store = (name: string, value: string): void => {
  try {
    sessionStorage.setItem(name, value)
  } catch {
    // A browser that keeps nothing still shows the shop.
  }
}

/** What the page knows; the SDK keeps the rest. */
export const state = {
  country: stored('country') ?? 'GB',
  consent: stored('consent') !== 'no',
  /** Newest first, this visit only. */
  clicked: [] as Item[],
  cart: [] as Item[],
}

/**
 * The local edge takes the visitor's place from this header, as if the network had said so; a deployed one ignores it. It
 * replaces all the network says, so what the browser can decode has to be in it too.
 */
const headers: Record<string, string> = {}
function placeHeaders(): void {
  const region = regions.find(({ country }) => country === state.country)
  headers['mf-cf-blob'] = JSON.stringify({ country: state.country, continent: region?.continent, clientAcceptEncoding: 'gzip' })
}
placeHeaders()

const writeKey = document.querySelector<HTMLMetaElement>('meta[name=nightjar-key]')?.content ?? ''
export const client = nightjar({ writeKey, consent: state.consent ? 'granted' : 'denied', headers })

export function chooseCountry(country: string): void {
  state.country = country
  store('country', country)
  placeHeaders()
}

export function chooseConsent(given: boolean): void {
  state.consent = given
  if (!given) state.clicked = []
  store('consent', given ? 'yes' : 'no')
  client.consent(given ? 'granted' : 'denied')
}

/** Asks in the chosen region, and reports what was shown. */
export async function ask(asked: Asked): Promise<Answer> {
  const answer = await client.recommend({ ...asked, region: state.country })
  client.shown(answer)
  return answer
}

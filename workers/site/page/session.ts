import type { Consent } from '../../../shared/schemas/ids.ts'
import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import { type Asked, nightjar, type Sent, type Slate } from '../sdk/nightjar.ts'
import { remembered } from './dom.ts'
import { currentRegion, placeHeaders } from './regions.ts'

const CONSENT = 'nightjar-shop.consent'

export const signalsOptOut = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true

const readConsent = (): Consent => {
  try {
    const kept = localStorage.getItem(CONSENT)
    return signalsOptOut ? 'denied' : kept === 'granted' || kept === 'denied' ? kept : 'unknown'
  } catch {
    return 'unknown'
  }
}

let consent = readConsent()
const writeKey = document.querySelector<HTMLMetaElement>('meta[name=nightjar-key]')?.content ?? ''
const nj = nightjar({ writeKey, consent, headers: placeHeaders })
const known = new Map<string, RecommendedItem>()
const watchers: ((scenario: string, slate: Slate) => void)[] = []

export const currentConsent = (): Consent => consent

/** The choice itself is kept, a yes as well as a no; a no deletes everything else. */
export function decideConsent(wanted: 'granted' | 'denied'): void {
  consent = signalsOptOut ? 'denied' : wanted
  try {
    localStorage.setItem(CONSENT, consent)
  } catch {}
  nj.consent(consent)
}

// The shop's other tabs show, and live by, what was decided in one of them.
addEventListener('storage', ({ key }) => {
  if (key === CONSENT && readConsent() !== consent) location.reload()
})

/** Asks for a slate in the region that the visitor pretends to be in; remembers what items look like. */
export async function ask(asked: Asked): Promise<Slate> {
  const region = currentRegion()
  const slate = await nj.recommend(region === '' ? asked : { ...asked, region })
  for (const item of slate.items) known.set(item.id, item)
  for (const watcher of watchers) watcher(asked.scenario ?? 'home', slate)
  return slate
}

export const onAnswer = (watcher: (scenario: string, slate: Slate) => void): number => watchers.push(watcher)
export const knownItem = (id: string): RecommendedItem | undefined => known.get(id)
export const send = (events: Sent | Sent[]): Promise<unknown> => nj.send(events)
export const shown = (slate: Slate): void => nj.shown(slate)

/** What the visitor opened since the page was opened, newest first; a page's memory, not a visitor's. */
export const opened: RecommendedItem[] = []

export function open(item: RecommendedItem): void {
  known.set(item.id, item)
  const before = opened.findIndex(({ id }) => id === item.id)
  if (before >= 0) opened.splice(before, 1)
  opened.unshift(item)
}

export type CartLine = { item: RecommendedItem; quantity: number }

/** A cart that outlives a reload, not the tab. */
export function readCart(): CartLine[] {
  try {
    const lines: unknown = JSON.parse(remembered.read('cart') ?? '[]')
    return Array.isArray(lines) ? lines.filter((line: CartLine) => typeof line?.item?.id === 'string' && line.quantity > 0) : []
  } catch {
    return []
  }
}

export function writeCart(lines: readonly CartLine[]): void {
  remembered.write('cart', JSON.stringify(lines))
}

import type { EventsAnswer } from '../../../shared/schemas/events.ts'
import type { Consent, ConsentChoice } from '../../../shared/schemas/ids.ts'
import type { RecommendationAnswer, RecommendationRequest, RecommendedItem } from '../../../shared/schemas/recommendations.ts'

export type Options = {
  writeKey: string
  /** Where the Worker answers, ending in "/"; by default where this file came from. */
  url?: string
  /** Nothing that tells one visitor from another is kept or sent unless this is `granted`, or one purpose of it is. */
  consent?: ConsentChoice
  /** An identity token signed by the site's backend, instead of an anonymous id. */
  visitor?: string
  /** Sent along with every call; to another origin they cost a preflight. */
  headers?: Record<string, string>
}
export type Asked = Partial<Omit<RecommendationRequest, 'writeKey' | 'visitor' | 'token' | 'consent'>>
/** What was answered; after any failure only the empty `items` and the wait. */
export type Slate = Partial<RecommendationAnswer> & { items: RecommendedItem[]; scenario: Asked['scenario']; waited: number }
export type Sent = { type: string; [field: string]: unknown }

const KEY = 'nightjar'
type Area = 'localStorage' | 'sessionStorage'

/** Reads with one argument; writes with two, and returns, the second, nothing meaning to remove. Storage that is blocked holds nothing. */
const stored = (area: Area, ...value: (string | undefined)[]): string | undefined => {
  try {
    if (!value.length) return self[area][KEY]
    if (value[0]) self[area][KEY] = value[0]
    else delete self[area][KEY]
  } catch {}
  return value[0]
}

/**
 * The browser's side: asks for recommendations, sends events, keeps the visitor's id and the memory token, both only with
 * consent. It never throws; what fails is an empty slate. Bodies go as text/plain, which needs no preflight.
 */
export function nightjar({ writeKey, url = new URL('.', import.meta.url).href, consent = 'unknown', visitor, headers }: Options) {
  let state: ConsentChoice
  let id: string | undefined
  let token: string | undefined
  let last: Promise<unknown> = Promise.resolve()
  const queue: Sent[] = []

  /** Whether this is the word for some purpose, however the choice is written. */
  const says = (word: Consent): boolean => JSON.stringify(state).includes(word)

  /** Where the visitor came from goes along without its path, and only with consent. */
  const bodyOf = (more: object): string =>
    JSON.stringify({
      writeKey,
      consent: state,
      visitor: id,
      token,
      referrer: says('granted') ? document.referrer.split('/', 3).join('/') : undefined,
      ...more,
    })

  /** Nothing where trying again may help. */
  const post = async <T extends object>(path: string, more: object): Promise<Partial<T> | false | undefined> => {
    const asker = id
    try {
      const response = await fetch(`${url}v1/${path}`, {
        method: 'POST',
        // None are none to fetch, whatever its type says.
        headers: headers as HeadersInit,
        body: bodyOf(more),
        keepalive: true,
        signal: AbortSignal.timeout(2000),
      })
      if (!response.ok) return response.status < 500 && {}
      const answer: Partial<T & EventsAnswer> = await response.json()
      // Consent may have been withdrawn while the answer was on its way; without an id no answer has a token.
      if (asker === id && answer.token) {
        token = stored('sessionStorage', answer.token)
      }
      return answer
    } catch {}
  }

  const flush = async (): Promise<void> => {
    if (queue[0] && says('granted') && !id) {
      const { visitor: minted } = (await post<{ visitor: string }>('visitors', { referrer: undefined })) || {}
      if (says('granted')) {
        id = stored('localStorage', minted)
      }
    }
    const events = queue.splice(0, 99)
    // The page may have gone, and handed them over, while the id was on its way. Event ids make sending twice harmless.
    if (events[0] && !(await post('events', { events })) && queue.length < 99) queue.unshift(...events)
  }

  const decide = (wanted: ConsentChoice, told?: 1): void => {
    const kept = stored('localStorage')
    const before = (told && (visitor || id)) || kept
    state = (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl ? 'denied' : wanted
    const granted = says('granted')
    const denied = says('denied')
    const gone = denied && !granted
    if (denied) stored('sessionStorage', '')
    if (gone) stored('localStorage', '')
    token = granted ? stored('sessionStorage') : undefined
    id = granted ? visitor || kept : undefined
    // After a no, the last time that the id is sent: what the edge keeps under it has to go as well.
    if (before && (told || gone)) void post('visitors/me/consent', { visitor: before })
  }

  /** `later` lets them wait a while for others to go with. */
  const send = (events: Sent | Sent[], later?: unknown): Promise<unknown> => {
    for (const event of [events].flat()) queue.push({ id: crypto.getRandomValues(new Uint32Array(4)).join('-'), at: Date.now(), ...event })
    if (later) setTimeout(send, 5000, [])
    // One after the other, so that the newest token is the one that stays.
    else last = last.then(flush)
    return last
  }

  decide(consent)
  // Another tab has said no: this one must not go on under an id that is gone, nor ask for a new one.
  addEventListener('storage', ({ key, newValue }) => key === KEY && !newValue && decide('denied'))
  addEventListener('pagehide', () => queue[0] && navigator.sendBeacon(`${url}v1/events`, bodyOf({ events: queue.splice(0, 99) })))

  return {
    async recommend(asked: Asked = {}): Promise<Slate> {
      const start = performance.now()
      const answer = await post<RecommendationAnswer>('recommendations', asked)
      return { items: [], ...answer, scenario: asked.scenario, waited: performance.now() - start }
    },
    /** Sends one event or several; resolves when they were taken, or will be tried again with the next. */
    send,
    /**
     * Tells that a slate came into view, and how long the visitor had waited for it. Nobody waits for that, and posts are billed:
     * it goes along with the next event, or when the page goes, and alone only after a while. Without an
     * id it goes at once: it may bring one, which the first click then need not wait for.
     */
    shown({ items, recommId, scenario, waited }: Slate): void {
      if (items[0]) void send({ type: 'impression', items: items.map((item) => item.id), recommId, scenario, waited }, id)
    },
    /** Takes effect at once, here, in the site's other tabs and at the edge: after a no, the id and the token are gone. */
    consent: (choice: ConsentChoice): void => decide(choice, 1),
  }
}

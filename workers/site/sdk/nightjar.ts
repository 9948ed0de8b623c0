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

/** Reads where no value is given; else writes, an empty one meaning to remove, and returns it. Storage that is blocked holds nothing. */
const stored = (area: Area, value?: string): string | undefined => {
  try {
    if (value == null) return self[area][KEY]
    if (value) self[area][KEY] = value
    else delete self[area][KEY]
  } catch {}
  return value
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

  /** Nothing where trying again may help. */
  const post = async <T extends object>(path: string, more?: object): Promise<Partial<T> | undefined> => {
    const asker = id
    let response: Response
    try {
      response = await fetch(`${url}v1/${path}`, {
        method: 'POST',
        // None are none to fetch, whatever its type says.
        headers: headers as HeadersInit,
        body: JSON.stringify({
          writeKey,
          consent: state,
          visitor: id,
          token,
          // Where the visitor came from goes along without its path, and only with consent.
          referrer: says('granted') ? document.referrer.split('/', 3).join('/') : undefined,
          ...more,
        }),
        signal: AbortSignal.timeout(2000),
        keepalive: true,
      })
      if (!response.ok) return response.status < 429 ? {} : later(more, response)
      const answer: Partial<T & EventsAnswer> = await response.json()
      // Consent may have been withdrawn while the answer was on its way; without an id no answer has a token.
      if (asker === id && answer.token) {
        token = stored('sessionStorage', answer.token)
      }
      return answer
    } catch {}
  }

  /** What must wait is kept and sent later, by a module that few pages need. Nothing where that cannot be had. */
  const later = (kept: object | string | undefined, response?: Response): Promise<object | undefined> =>
    import('./later.js').then(
      (module) => module.keep(send, says, kept, response),
      () => undefined,
    )

  /** Outlives the page. Event ids make sending twice harmless. */
  const handOver = async (): Promise<void> => {
    const events = queue.splice(0, 99)
    if (events[0] && !(await post('events', { events }))) queue.unshift(...events.slice(queue.length))
  }

  const flush = async (): Promise<void> => {
    if (queue[0] && says('granted') && !id) {
      const minted = (await post<{ visitor: string }>('visitors'))?.visitor
      if (says('granted')) id = stored('localStorage', minted)
    }
    // The page may have gone, and handed them over, while the id was on its way.
    return handOver()
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
    // No token begins with a space: it is what an earlier page had to keep. Where there is none, nothing is less.
    if ((token as string) < '!') token = void later(token)
    // After a no, the last time that the id is sent: what the edge keeps under it has to go as well.
    if (before && (told || gone)) void post('visitors/me/consent', { visitor: before })
  }

  /** `wait` lets them wait a while for others to go with. */
  const send = (events: Sent | Sent[], wait?: unknown): Promise<unknown> => {
    // As of a ULID, time and chance make the id; crypto.randomUUID is not everywhere.
    for (const event of [events].flat()) queue.push({ id: Date.now() + Math.random().toString(36).slice(2), at: Date.now(), ...event })
    // One after the other, so that the newest token is the one that stays.
    if (wait) setTimeout(send, 5000, [])
    else last = last.then(flush)
    return last
  }

  decide(consent)
  // Another tab has said no: this one must not go on under an id that is gone, nor ask for a new one.
  addEventListener('storage', (event) => event.key === KEY && !event.newValue && decide('denied'))
  addEventListener('pagehide', handOver)

  return {
    async recommend(asked?: Asked): Promise<Slate> {
      const start = performance.now()
      return {
        items: [],
        ...(await post<RecommendationAnswer>('recommendations', asked)),
        scenario: asked?.scenario,
        waited: performance.now() - start,
      }
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

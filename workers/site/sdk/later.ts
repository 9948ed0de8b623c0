import type { Consent } from '../../../shared/schemas/ids.ts'
import type { Sent } from './nightjar.ts'

/** More than this is not kept: what came first goes. */
const MOST = 300
/** One post takes 100. */
const AT_ONCE = 99
/** Where the answer does not say when to come back: too fast, or a log that took nothing. And the longest that is waited. */
const TOO_FAST_MS = 60_000
const FAILED_MS = 15_000
const LONGEST_MS = 600_000
/** How soon a new page tries what an earlier one had to keep. */
const NEXT_PAGE_MS = 5000

/** What this page keeps. */
let held: Sent[] = []
let timer: ReturnType<typeof setTimeout> | undefined
let maySave = (): boolean => false

/**
 * Keeps the events of a post that the edge refused because they came too fast, or could not take, and sends them again when it
 * said, under the same ids. With consent another page may do so: they lie where the memory token does, which a no empties.
 * Without, they stay in this page's memory.
 * @param kept the body that was refused, or what an earlier page saved
 */
export function keep(
  send: (events: Sent[]) => unknown,
  says: (word: Consent) => boolean,
  kept: { events?: Sent[] } | string | undefined,
  response?: Response,
): object {
  maySave = () => says('granted')
  const more = typeof kept === 'string' ? takeUp(kept) : (kept?.events ?? [])
  held = [...held, ...more].slice(-MOST)
  if (held.length > 0) {
    clearTimeout(timer)
    // Not all browsers at once.
    timer = setTimeout(() => sendAll(send), waitMs(response) * (1 + Math.random() / 5))
  }
  return {}
}

function waitMs(response: Response | undefined): number {
  if (response === undefined) return NEXT_PAGE_MS
  const said = 1000 * Number(response.headers.get('retry-after'))
  return Math.min(said || (response.status === 429 ? TOO_FAST_MS : FAILED_MS), LONGEST_MS)
}

/** From here on they are the client's, which hands over what still waits when the page goes. */
function sendAll(send: (events: Sent[]) => unknown): void {
  while (held.length > 0) send(held.splice(0, AT_ONCE))
}

function takeUp(text: string): Sent[] {
  try {
    delete sessionStorage.nightjar
    const events: unknown = JSON.parse(text)
    return Array.isArray(events) ? events : []
  } catch {
    return []
  }
}

/** In place of the token, which the next page does without; the space tells the one from the other. */
addEventListener('pagehide', () => {
  if (held.length === 0 || !maySave()) return
  try {
    sessionStorage.nightjar = ` ${JSON.stringify(held)}`
  } catch {}
})

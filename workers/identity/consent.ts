import { type Consent, type ConsentChoice, type Consents, type Purpose, purposes } from '../../shared/schemas/ids.ts'

const forEach = (decide: (purpose: Purpose) => Consent): Consents => ({
  personalisation: decide('personalisation'),
  learning: decide('learning'),
})

export const DENIED: Consents = forEach(() => 'denied')
export const UNDECIDED: Consents = forEach(() => 'unknown')

/**
 * What a request says about consent, purpose by purpose: `granted` or `denied`; `unknown` where it says nothing, and an
 * earlier yes, kept by the visitor's object or token, stands. A page that says it does not know has no yes. Global Privacy
 * Control is a no to everything, whatever the page says.
 */
export function consentOf(request: Request, said: ConsentChoice | undefined): Consents {
  if (request.headers.get('sec-gpc') === '1') return DENIED
  return forEach((purpose) => {
    const word = typeof said === 'object' ? said[purpose] : said
    return word === 'unknown' ? 'denied' : (word ?? 'unknown')
  })
}

/**
 * What holds where a request meets what was decided before. A no that was decided stands until it is taken back by
 * `POST /v1/visitors/me/consent`: a second tab that has not heard of it yet still says yes.
 */
export function settled(decided: Consents | null, said: Consents): Consents {
  return forEach((purpose) =>
    decided?.[purpose] === 'denied' || said[purpose] === 'unknown' ? (decided?.[purpose] ?? 'unknown') : said[purpose],
  )
}

/** What is kept of a request's word beside what was decided: its yes. A no that is only said in requests stays there. */
export const decidedBy = (decided: Consents | null, said: Consents): Consents =>
  settled(
    decided,
    forEach((purpose) => (said[purpose] === 'granted' ? 'granted' : 'unknown')),
  )

/** Of two decisions about the same person, for each purpose the one that allows less. */
export const stricter = (a: Consents, b: Consents): Consents =>
  forEach((purpose) => (STRICTEST_FIRST.indexOf(a[purpose]) <= STRICTEST_FIRST.indexOf(b[purpose]) ? a : b)[purpose])
const STRICTEST_FIRST: readonly Consent[] = ['denied', 'unknown', 'granted']

export const allowsAnything = (consents: Consents): boolean => purposes.some((purpose) => consents[purpose] === 'granted')
export const deniesEverything = (consents: Consents): boolean => purposes.every((purpose) => consents[purpose] === 'denied')

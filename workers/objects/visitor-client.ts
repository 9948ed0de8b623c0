import type { Memory } from '../../shared/memory.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import type { Preferences } from '../../shared/schemas/visitors.ts'
import { answerWithin } from '../background.ts'
import { UNDECIDED } from '../identity/consent.ts'
import type { Identity } from '../identity/identify.ts'
import { warn } from '../log.ts'
import { within } from '../within.ts'
import { inEu } from './place.ts'
import type { Visited, Visitor } from './visitor.ts'
import { parseState, type VisitorItem, type VisitorState } from './visitor-state.ts'

/** A visitor's answer does not wait longer than this for the visitor's object, unless it may wait longer for anything. */
const PATIENCE_MS = 1000

/** The object of a visitor; those of EU visitors stay in the EU where the platform can say so. */
export function visitorStub(env: Env, identity: Identity): DurableObjectStub<Visitor> {
  const name = `${env.SITE}:${identity.hash}`
  const namespace = identity.eu ? inEu(env.VISITORS) : env.VISITORS
  return namespace.get(namespace.idFromName(name))
}

/** Nothing that happens to the object reaches the visitor: a failure or a stall reads as "nothing known". */
async function orNull<T>(env: Env, call: () => Promise<T>): Promise<T | null> {
  try {
    return await within(Math.max(PATIENCE_MS, answerWithin(env)), call())
  } catch (error) {
    warn('visitor-object-failed', error)
    return null
  }
}

/** What the visitor's object holds; null where there is none, or it fails. An erased visitor reads as one who said no. */
export const readVisitor = (env: Env, identity: Identity): Promise<VisitorState | null> =>
  orNull(env, async () => {
    const json = await visitorStub(env, identity).read(Date.now())
    return json === null ? null : parseState(json)
  })

/** What holds for the visitor, and what is remembered of them now; null when the object fails. @param now Unix milliseconds */
export const recordVisit = (env: Env, identity: Identity, deeds: VisitorItem[], said: Consents, now: number): Promise<Visited | null> =>
  orNull(env, async () => visitorStub(env, identity).record(deeds, said, now))

/** False when there was a past already, or when the object fails. */
export const seedVisitor = async (env: Env, identity: Identity, items: VisitorItem[], said: Consents, now: number): Promise<boolean> =>
  (await orNull(env, async () => visitorStub(env, identity).seed(items, said, now))) ?? false

/** Unlike those above, these throw: what a visitor asks for must not be taken for done when it was not. */
export const eraseVisitor = async (env: Env, identity: Identity, until: number): Promise<void> => visitorStub(env, identity).erase(until)
export const exportVisitor = async (env: Env, identity: Identity): Promise<{ state: VisitorState | null; erasedUntil: number | null }> =>
  visitorStub(env, identity).export(Date.now())
export const changeConsent = async (env: Env, identity: Identity, said: Consents, now: number): Promise<Consents> =>
  visitorStub(env, identity).setConsent(said, now)

export const keepPreferences = async (env: Env, identity: Identity, liked: Preferences, said: Consents, now: number): Promise<boolean> =>
  visitorStub(env, identity).prefer(liked, said, now)
export const lookAtVisitor = async (env: Env, identity: Identity, now: number): Promise<Visited> =>
  visitorStub(env, identity).record([], UNDECIDED, now)
export const absorbVisitor = async (env: Env, identity: Identity, past: VisitorState, now: number): Promise<Visited> =>
  visitorStub(env, identity).absorb(past, now)

/** What of a state travels in the memory token. */
export const memoryOf = (items: readonly VisitorItem[]): Memory => ({
  items: items.map(({ id, deed, at }) => ({ hash: itemHash(id, 0), deed, at })),
})

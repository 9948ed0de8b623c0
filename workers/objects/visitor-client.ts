import type { Memory } from '../../shared/memory.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { Identity } from '../identity/identify.ts'
import type { Visitor, VisitorItem, VisitorState } from './visitor.ts'

/** The object of a visitor; those of EU visitors stay in the EU where the platform can say so. */
function visitorStub(env: Env, identity: Identity): DurableObjectStub<Visitor> {
  const namespace = env.VISITORS as DurableObjectNamespace<Visitor>
  const name = `${env.SITE}:${identity.hash}`
  if (!identity.eu) return namespace.get(namespace.idFromName(name))
  try {
    const eu = namespace.jurisdiction('eu')
    return eu.get(eu.idFromName(name))
  } catch {
    // The local runtime knows no jurisdictions.
    return namespace.get(namespace.idFromName(name))
  }
}

/** Nothing that happens to the object reaches the visitor: a failure reads as "nothing known". */
async function orNull<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call()
  } catch (error) {
    console.warn(JSON.stringify({ event: 'visitor-object-failed', error: error instanceof Error ? error.message : String(error) }))
    return null
  }
}

export const readVisitor = (env: Env, identity: Identity): Promise<VisitorState | null> =>
  orNull(async () => visitorStub(env, identity).read())

/** Null when erased or when the object fails. */
export const recordVisit = (env: Env, identity: Identity, deeds: VisitorItem[], now: number): Promise<VisitorState | null> =>
  orNull(async () => visitorStub(env, identity).record(deeds, now))

export async function seedVisitor(env: Env, identity: Identity, items: VisitorItem[], now: number): Promise<void> {
  await orNull(async () => visitorStub(env, identity).seed(items, now))
}

/** Unlike the others this throws: an erasure that failed must not be taken for done. */
export const eraseVisitor = async (env: Env, identity: Identity, now: number): Promise<{ until: number }> =>
  visitorStub(env, identity).erase(now)

/** What of a state travels in the memory token. */
export const memoryOf = (items: readonly VisitorItem[]): Memory => ({
  items: items.map(({ id, deed, at }) => ({ hash: itemHash(id, 0), deed, at })),
})

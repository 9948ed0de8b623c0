import type { MergeRecord } from '../../shared/schemas/events.ts'
import type { MergeAnswer } from '../../shared/schemas/visitors.ts'
import type { Identity } from '../identity/identify.ts'
import { sealMemory } from '../identity/memory-token.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import type { Visited } from '../objects/visitor.ts'
import { absorbVisitor, eraseVisitor, exportVisitor, lookAtVisitor, memoryOf } from '../objects/visitor-client.ts'
import { refusedUntil } from './erasure.ts'

/**
 * Makes the anonymous visitor `from` the user `into`: one history, under the stricter of both decisions. The user's object
 * comes first and the anonymous one last, so that doing it again after a failure loses and doubles nothing. Late events of the
 * anonymous id belong to nobody. @param now Unix milliseconds @throws when an object or the log fails
 */
export async function mergeVisitors(env: Env, from: Identity, into: Identity, now: number): Promise<MergeAnswer> {
  const { state } = await exportVisitor(env, from)
  // Never remembered, erased, or merged before: there is nothing that could become the user's.
  if (state === null) return answer(env, into, await lookAtVisitor(env, into, now), now)
  const visited = await absorbVisitor(env, into, state, now)
  if (visited.consent.learning === 'granted') {
    const id = `merge-${from.hash}-${into.hash}`
    const record: MergeRecord = { v: 1, id, type: 'merge', received: now, visitor: from.hash, into: into.hash }
    // It names both: where either belongs to the EU, it stays there.
    await appendEvents(env, `${JSON.stringify(record)}\n`, now, { eu: from.eu || into.eu })
  }
  await eraseVisitor(env, from, refusedUntil(now))
  return answer(env, into, visited, now)
}

async function answer(env: Env, into: Identity, { consent, items }: Visited, now: number): Promise<MergeAnswer> {
  const token = consent.personalisation === 'granted' ? await sealMemory(env, into, memoryOf(items), now) : null
  return { consent, items: items.length, ...(token !== null && { token }) }
}

import type { ErasureRecord } from '../../shared/schemas/events.ts'
import type { Identity } from '../identity/identify.ts'
import { TOKEN_LIFE_SECONDS } from '../identity/memory-token.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import { eraseVisitor } from '../objects/visitor-client.ts'

/** An event may come this late; an erased visitor takes nothing in until then, and until no sealed token is left. */
const LATE_EVENTS_MS = 72 * 3_600_000

/** What an erasure leaves behind, and until when. */
export type Receipt = { erased: true; pseudonym: string; remains: { what: string; until: string }[] }

/**
 * Forgets a visitor. The archive is told first: should the object then fail, asking again does no harm.
 * @param now Unix milliseconds @throws when the log or the object fails
 */
export async function eraseEverywhere(env: Env, identity: Identity, now: number): Promise<Receipt> {
  const until = now + TOKEN_LIFE_SECONDS * 1000 + LATE_EVENTS_MS
  const record: ErasureRecord = {
    v: 1,
    id: `erasure-${identity.hash}-${now}`,
    type: 'erasure',
    received: now,
    visitor: identity.hash,
    until,
  }
  await appendEvents(env, `${JSON.stringify(record)}\n`, now)
  await eraseVisitor(env, identity, until)
  return {
    erased: true,
    pseudonym: identity.hash,
    remains: [
      { what: 'a mark under the pseudonym that refuses late events', until: new Date(until).toISOString() },
      { what: 'sealed tokens that a browser still holds', until: new Date(now + TOKEN_LIFE_SECONDS * 1000).toISOString() },
      { what: 'archived events under the pseudonym, which no night learns from any more', until: 'the archive’s own end' },
      { what: 'counts over many visitors in releases that are already published', until: 'the release is replaced' },
    ],
  }
}

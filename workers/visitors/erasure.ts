import { type SignedReceipt, signReceipt } from '../../shared/receipt.ts'
import type { ErasureRecord } from '../../shared/schemas/events.ts'
import type { Identity } from '../identity/identify.ts'
import { TOKEN_LIFE_SECONDS } from '../identity/memory-token.ts'
import { onRecord } from '../objects/audit-log-client.ts'
import { appendEvents } from '../objects/event-log-client.ts'
import { MARK_AFTER_REFUSAL_MS } from '../objects/visitor.ts'
import { eraseVisitor } from '../objects/visitor-client.ts'

/** An event may come this late; an erased visitor takes nothing in until then, and until no sealed token is left. */
const LATE_EVENTS_MS = 72 * 3_600_000
/** Archived releases, and with them imported histories, go after this long by a lifecycle rule. */
const ARCHIVE_MS = 30 * 24 * 3_600_000

/** Until when late events are refused. @param now Unix milliseconds */
export const refusedUntil = (now: number): number => now + TOKEN_LIFE_SECONDS * 1000 + LATE_EVENTS_MS

/**
 * Forgets a visitor. The archive is told first: should the object then fail, asking again does no harm.
 * @param actor who asked: `visitor` or `admin:<name>` @param now Unix milliseconds @throws when a log or the object fails
 */
export async function eraseEverywhere(env: Env, identity: Identity, actor: string, now: number): Promise<SignedReceipt> {
  const until = refusedUntil(now)
  const record: ErasureRecord = {
    v: 1,
    id: `erasure-${identity.hash}-${now}`,
    type: 'erasure',
    received: now,
    visitor: identity.hash,
    until,
  }
  await appendEvents(env, `${JSON.stringify(record)}\n`, now, identity)
  await eraseVisitor(env, identity, until)
  const audit = await onRecord(env, { action: 'erasure', actor, detail: { visitors: 1 } }, now)
  const date = (ms: number): string => new Date(ms).toISOString()
  return signReceipt(env.ID_KEY, {
    erased: true,
    site: env.SITE,
    pseudonym: identity.hash,
    at: date(now),
    remains: [
      { what: 'a mark under the pseudonym that refuses late events', until: date(until) },
      { what: 'the same mark, which refuses a history that an earlier release brings back', until: date(until + MARK_AFTER_REFUSAL_MS) },
      { what: 'sealed tokens that a browser still holds', until: date(now + TOKEN_LIFE_SECONDS * 1000) },
      { what: 'archived events under the pseudonym, until the next night removes them', until: date(now + ARCHIVE_MS) },
      { what: 'an imported history in releases that are already published and in their archive', until: date(now + ARCHIVE_MS) },
      { what: 'counts over many visitors in those releases, and a line in the audit log that names nobody', until: 'these name nobody' },
    ],
    audit,
  })
}

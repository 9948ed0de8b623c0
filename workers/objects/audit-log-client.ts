import type { AuditHead, AuditNote } from '../../shared/audit.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import { warn } from '../log.ts'
import type { AuditLog } from './audit-log.ts'

/** The deployment's one audit log. */
export function auditLog(env: Env): DurableObjectStub<AuditLog> {
  const namespace = env.AUDIT_LOG as DurableObjectNamespace<AuditLog>
  return namespace.get(namespace.idFromName(env.SITE))
}

/** @param now Unix milliseconds @throws when the log does not take it: what must be on record is then not to be done */
export const onRecord = async (env: Env, note: AuditNote, now: number): Promise<AuditHead> => auditLog(env).append(note, now)

/** An admin's deed on record. It is done by then: what fails here must not look as though it were not. @param now Unix milliseconds */
export async function noteDeed(env: Env, name: string, detail: AuditNote['detail'], now: number): Promise<void> {
  try {
    await onRecord(env, { action: 'admin', actor: `admin:${name}`, detail }, now)
  } catch (error) {
    warn('audit-failed', error)
  }
}

/** Never throws: a visitor's decision holds whether or not it could be counted. @param now Unix milliseconds */
export async function countConsent(env: Env, decided: Consents, now: number): Promise<void> {
  try {
    await auditLog(env).countConsent(decided, now)
  } catch (error) {
    warn('consent-not-counted', error)
  }
}

import { canonicalJson } from './release/hash.ts'
import { utf8 } from './utf8.ts'

/** What is worth a line. Nobody is named in any of them: what happened to whom, the one who holds a receipt knows. */
export type AuditAction = 'erasure' | 'export' | 'admin' | 'consent' | 'forgotten' | 'retention'

/** What is to be written down: who acted (`visitor`, `night`, `cron`, `operator` or `admin:<name of the token>`) and with what numbers. */
export type AuditNote = { action: AuditAction; actor: string; detail: Record<string, string | number> }

/** A line of an audit log; `before` is the hash of the line before it, so that none can be changed or taken out unseen. */
export type AuditEntry = AuditNote & { v: 1; seq: number; at: string; before: string; hash: string }

/** Where a chain ends. */
export type AuditHead = Pick<AuditEntry, 'seq' | 'hash'>

/** What the first line comes after. */
export const AUDIT_START: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/** Each has a chain of its own: the edge, the night, and whoever uses the command line. */
export const auditWriters = ['edge', 'night', 'operator'] as const
export type AuditWriter = (typeof auditWriters)[number]

/** The prefix in R2 under which a writer's lines lie. */
export const auditPrefix = (writer: AuditWriter): string => `audit/${writer}/`
/** By the first of its lines: a copy that was cut off, and has more to copy by then, is written over itself. */
export const auditKey = (writer: AuditWriter, first: number): string => `${auditPrefix(writer)}${String(first).padStart(10, '0')}.ndjson`

/** The line that comes after `head`. @param now Unix milliseconds */
export async function nextEntry(head: AuditHead, note: AuditNote, now: number): Promise<AuditEntry> {
  const entry = { v: 1 as const, seq: head.seq + 1, at: new Date(now).toISOString(), ...note, before: head.hash }
  return { ...entry, hash: await hashOf(entry) }
}

/** Whether a chain is whole; `fault` says where it is not. */
export type Verdict = { head: AuditHead; fault: string | null }

/** Checks that every line is what it was and that none is missing between the first and the last. */
export async function verifyChain(entries: readonly unknown[]): Promise<Verdict> {
  let head = AUDIT_START
  for (const value of entries) {
    if (!isEntry(value)) return { head, fault: `what comes after line ${head.seq} is no line of an audit log` }
    const { hash, ...entry } = value
    if (entry.seq !== head.seq + 1) return { head, fault: `line ${head.seq + 1} is missing: line ${entry.seq} comes in its place` }
    if (entry.before !== head.hash) return { head, fault: `line ${entry.seq} does not follow the line before it` }
    if ((await hashOf(entry)) !== hash) return { head, fault: `line ${entry.seq} has been changed` }
    head = { seq: entry.seq, hash }
  }
  return { head, fault: null }
}

const isEntry = (value: unknown): value is AuditEntry =>
  value !== null &&
  typeof value === 'object' &&
  'seq' in value &&
  typeof value.seq === 'number' &&
  'hash' in value &&
  typeof value.hash === 'string' &&
  'before' in value

async function hashOf(entry: Omit<AuditEntry, 'hash'>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(canonicalJson(entry))))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

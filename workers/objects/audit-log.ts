import { DurableObject } from 'cloudflare:workers'
import { AUDIT_START, type AuditHead, type AuditNote, auditKey, nextEntry } from '../../shared/audit.ts'
import type { Consents } from '../../shared/schemas/ids.ts'
import { warn } from '../log.ts'

/** How long lines may wait in the object before their copy is written to R2. */
const COPY_AFTER_MS = 60_000
const RETRY_AFTER_MS = 5 * 60_000
/** Changes of consent are told as counts over this long. */
const COUNTED_MS = 3_600_000
const LINES_A_FILE = 1000

/**
 * The deployment's audit log: lines are added, and never changed nor taken out. Each holds the hash of the one before. The
 * rows here are the log; R2 gets a copy, for the night and for those who check it.
 */
export class AuditLog extends DurableObject<Env> {
  /** Hashing waits, and while it does another call may come in: one line after the other. */
  private last: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, line TEXT NOT NULL, copied INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS consents (choice TEXT PRIMARY KEY, n INTEGER NOT NULL, since INTEGER NOT NULL)`)
  }

  /** Adds a line. @param now Unix milliseconds @returns where the log then ends */
  append(note: AuditNote, now: number): Promise<AuditHead> {
    const mine = this.last.then(() => this.add(note, now))
    this.last = mine.catch(() => undefined)
    return mine
  }

  /** Counts a decision about consent; within the hour it becomes part of a line. @param now Unix milliseconds */
  async countConsent({ personalisation, learning }: Consents, now: number): Promise<void> {
    this.ctx.storage.sql.exec(
      'INSERT INTO consents (choice, n, since) VALUES (?, 1, ?) ON CONFLICT (choice) DO UPDATE SET n = n + 1',
      `personalisation ${personalisation}, learning ${learning}`,
      now,
    )
    await this.wakeAfter(COUNTED_MS)
  }

  /** Where the log ends, and where its copy in R2 does. */
  ends(): { head: AuditHead; copied: AuditHead } {
    return { head: this.head(), copied: this.lastOf('WHERE copied = 1') }
  }

  override async alarm(): Promise<void> {
    try {
      await this.flush(Date.now())
    } catch (error) {
      warn('audit-copy-failed', error)
      await this.ctx.storage.setAlarm(Date.now() + RETRY_AFTER_MS)
    }
  }

  /** Writes down what was counted, where an hour of it is full, and copies new lines to R2. @param now Unix milliseconds */
  async flush(now: number): Promise<void> {
    const { sql } = this.ctx.storage
    const since = sql.exec<{ since: number | null }>('SELECT min(since) AS since FROM consents').one().since
    if (since !== null && since <= now - COUNTED_MS) {
      const counts = sql.exec<{ choice: string; n: number }>('SELECT choice, n FROM consents ORDER BY choice').toArray()
      const detail = Object.fromEntries(counts.map(({ choice, n }) => [choice, n]))
      await this.append({ action: 'consent', actor: 'visitor', detail }, now)
      // What was counted while the line was written is counted on.
      for (const { choice, n } of counts) sql.exec('UPDATE consents SET n = n - ?, since = ? WHERE choice = ?', n, now, choice)
      sql.exec('DELETE FROM consents WHERE n <= 0')
    }
    for (let lines = this.uncopied(); lines.length > 0; lines = this.uncopied()) {
      const [first, last] = [lines[0].seq, lines[lines.length - 1].seq]
      await this.env.EVENTS.put(auditKey('edge', first), lines.map(({ line }) => `${line}\n`).join(''))
      sql.exec('UPDATE entries SET copied = 1 WHERE seq BETWEEN ? AND ?', first, last)
    }
    if (sql.exec('SELECT 1 FROM consents LIMIT 1').toArray().length > 0) await this.wakeAfter(COUNTED_MS)
  }

  private head(): AuditHead {
    return this.lastOf('')
  }

  private lastOf(where: string): AuditHead {
    const [last] = this.ctx.storage.sql.exec<AuditHead>(`SELECT seq, hash FROM entries ${where} ORDER BY seq DESC LIMIT 1`).toArray()
    return last ?? AUDIT_START
  }

  private async add(note: AuditNote, now: number): Promise<AuditHead> {
    const entry = await nextEntry(this.head(), note, now)
    const line = JSON.stringify(entry)
    this.ctx.storage.sql.exec('INSERT INTO entries (seq, hash, line, copied) VALUES (?, ?, ?, 0)', entry.seq, entry.hash, line)
    await this.wakeAfter(COPY_AFTER_MS)
    return { seq: entry.seq, hash: entry.hash }
  }

  private uncopied(): { seq: number; line: string }[] {
    return this.ctx.storage.sql
      .exec<{ seq: number; line: string }>('SELECT seq, line FROM entries WHERE copied = 0 ORDER BY seq LIMIT ?', LINES_A_FILE)
      .toArray()
  }

  private async wakeAfter(ms: number): Promise<void> {
    const at = Date.now() + ms
    const set = await this.ctx.storage.getAlarm()
    if (set === null || set > at) await this.ctx.storage.setAlarm(at)
  }
}

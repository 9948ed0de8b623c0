import { DurableObject } from 'cloudflare:workers'
import type { Consent } from '../../shared/schemas/ids.ts'
import { forget, newState, remember, type VisitorItem, type VisitorState } from './visitor-state.ts'

/** `json` is null in a tombstone, which refuses what comes until `erased_until` (Unix milliseconds). */
type Row = { json: string | null; erased_until: number }

/** A visitor who does not come back for this long is forgotten. */
export const IDLE_LIFE_MS = 180 * 24 * 3_600_000

/** One visitor: what they did last, and what they allowed. Exists only with their consent. */
export class Visitor extends DurableObject<Env> {
  /** Takes in what a consenting visitor did. Null after an erasure. @param now Unix milliseconds */
  async record(deeds: VisitorItem[], now: number): Promise<VisitorState | null> {
    const row = this.row(now)
    if (isTombstone(row)) return null
    const state = remember(stateOf(row) ?? newState('granted', now), deeds, now)
    await this.keep(row, state)
    return state
  }

  /** Null where there is nothing. An erased visitor reads as one who said no, so that no imported history takes its place. */
  read(now: number): VisitorState | null {
    const row = this.row(now)
    return isTombstone(row) ? newState('denied', now) : stateOf(row)
  }

  /** Starts an object from an imported history; one that already has a past, or was erased, keeps what it has. */
  async seed(items: VisitorItem[], now: number): Promise<boolean> {
    if (this.row(now) !== null) return false
    await this.keep(null, remember(newState('granted', now), items, now))
    return true
  }

  /** A no empties the object, and makes none where there is none. @returns what holds from now on; `denied` after an erasure */
  async setConsent(consent: Consent, now: number): Promise<Consent> {
    const row = this.row(now)
    if (isTombstone(row)) return 'denied'
    const state = stateOf(row)
    if (consent === 'granted') await this.keep(row, { ...(state ?? newState('granted', now)), consent: 'granted', updatedAt: now })
    else if (state !== null) await this.keep(row, forget(state, now))
    return consent === 'granted' ? 'granted' : 'denied'
  }

  /** Everything that is held, for the visitor to see. */
  export(now: number): { state: VisitorState | null; erasedUntil: number | null } {
    const row = this.row(now)
    return { state: stateOf(row), erasedUntil: row !== null && isTombstone(row) ? row.erased_until : null }
  }

  /** Forgets everything but that nothing must be taken in until `until` (Unix milliseconds); then that is forgotten too. */
  async erase(until: number): Promise<void> {
    await this.ctx.storage.deleteAll()
    this.write(null, until)
    await this.ctx.storage.setAlarm(until)
  }

  /** Set once, when the object is made or erased: a write for each visit would cost more than looking again. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    const row = this.row(now)
    const state = stateOf(row)
    const end = state === null ? (row?.erased_until ?? 0) : state.updatedAt + IDLE_LIFE_MS
    if (end > now) await this.ctx.storage.setAlarm(end)
    else await this.ctx.storage.deleteAll()
  }

  private async keep(before: Row | null, state: VisitorState): Promise<void> {
    this.write(state, 0)
    if (before === null) await this.ctx.storage.setAlarm(state.updatedAt + IDLE_LIFE_MS)
  }

  /** What is stored; a tombstone that has had its time counts as nothing. */
  private row(now: number): Row | null {
    const { sql } = this.ctx.storage
    // The table is made only when something is written: a mere look must leave no trace.
    const tables = sql.exec("SELECT name FROM sqlite_master WHERE name = 'visitor'").toArray()
    const row = tables.length === 0 ? undefined : sql.exec<Row>('SELECT json, erased_until FROM visitor WHERE id = 1').toArray()[0]
    return row === undefined || (row.json === null && row.erased_until <= now) ? null : row
  }

  /** One row, one value: a write costs one row. */
  private write(state: VisitorState | null, erasedUntil: number): void {
    const { sql } = this.ctx.storage
    sql.exec('CREATE TABLE IF NOT EXISTS visitor (id INTEGER PRIMARY KEY, json TEXT, erased_until INTEGER NOT NULL)')
    sql.exec(
      'INSERT OR REPLACE INTO visitor (id, json, erased_until) VALUES (1, ?, ?)',
      state === null ? null : JSON.stringify(state),
      erasedUntil,
    )
  }
}

const isTombstone = (row: Row | null): boolean => row !== null && row.json === null

function stateOf(row: Row | null): VisitorState | null {
  return row?.json == null ? null : (JSON.parse(row.json) as VisitorState)
}

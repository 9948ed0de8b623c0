import { DurableObject } from 'cloudflare:workers'
import type { Consents } from '../../shared/schemas/ids.ts'
import type { Preferences } from '../../shared/schemas/visitors.ts'
import { DENIED, decidedBy, deniesEverything, settled, stricter, UNDECIDED } from '../identity/consent.ts'
import { forget, joined, newState, parseState, remember, type VisitorItem, type VisitorState } from './visitor-state.ts'

/** `json` is null in a tombstone, which refuses what comes until `erased_until` (Unix milliseconds). */
type Row = { json: string | null; erased_until: number }

/** What holds for a visitor now, and what the object remembers where that may be used. */
export type Visited = { consent: Consents; items: VisitorItem[] }

/** A visitor who does not come back for this long is forgotten. */
export const IDLE_LIFE_MS = 180 * 24 * 3_600_000
/**
 * A tombstone outlives its refusal by this: a release with an imported history may be served again, by a roll-back, for 30
 * days, and must not find the object empty.
 */
export const MARK_AFTER_REFUSAL_MS = 27 * 24 * 3_600_000

/** One visitor: what they did last, and what they allowed. Exists only with their consent. */
export class Visitor extends DurableObject<Env> {
  /**
   * Takes in what a visitor did, as far as what was decided before and what is said now allow.
   * @param now Unix milliseconds @returns what holds now; a no to everything after an erasure
   */
  async record(deeds: VisitorItem[], said: Consents, now: number): Promise<Visited> {
    const row = this.row()
    if (refuses(row, now)) return { consent: DENIED, items: [] }
    const before = stateOf(row)
    const consent = settled(before?.consent ?? null, said)
    if (consent.personalisation !== 'granted') return { consent, items: [] }
    if (deeds.length === 0) return { consent, items: before?.items ?? [] }
    const decided = decidedBy(before?.consent ?? null, said)
    const state = remember({ ...(before ?? newState(decided, now)), consent: decided }, deeds, now)
    await this.keep(row, state)
    return { consent, items: state.items }
  }

  /**
   * Null where there is nothing. An erased visitor reads as one who said no, and later as one without a past, so that no
   * imported history takes its place. A state comes as the JSON text that is kept: a text costs a call less than what it stands for.
   */
  read(now: number): string | null {
    const row = this.row()
    return isTombstone(row) ? JSON.stringify(newState(refuses(row, now) ? DENIED : UNDECIDED, now)) : (row?.json ?? null)
  }

  /** Starts an object from an imported history; one that already has a past, or was erased, keeps what it has. */
  async seed(items: VisitorItem[], said: Consents, now: number): Promise<boolean> {
    if (this.row() !== null) return false
    await this.keep(null, remember(newState(decidedBy(null, said), now), items, now))
    return true
  }

  /**
   * The visitor's decision. A no to personalisation empties the object; a no to everything makes none where there is none.
   * @returns what holds from now on; a no to everything after an erasure
   */
  async setConsent(said: Consents, now: number): Promise<Consents> {
    const row = this.row()
    if (refuses(row, now)) return DENIED
    const state = stateOf(row)
    const consent: Consents = {
      personalisation: said.personalisation === 'unknown' ? (state?.consent.personalisation ?? 'unknown') : said.personalisation,
      learning: said.learning === 'unknown' ? (state?.consent.learning ?? 'unknown') : said.learning,
    }
    if (state === null && deniesEverything(consent)) return consent
    const base = state ?? newState(consent, now)
    await this.keep(row, consent.personalisation === 'denied' ? forget(base, consent, now) : { ...base, consent, updatedAt: now })
    return consent
  }

  /** Keeps what the visitor said they like. @param now Unix milliseconds @returns whether consent allows it */
  async prefer(preferences: Preferences, said: Consents, now: number): Promise<boolean> {
    const row = this.row()
    const before = stateOf(row)
    if (refuses(row, now) || settled(before?.consent ?? null, said).personalisation !== 'granted') return false
    const consent = decidedBy(before?.consent ?? null, said)
    await this.keep(row, { ...(before ?? newState(consent, now)), consent, preferences, updatedAt: now })
    return true
  }

  /**
   * Takes in the past of the same person from before their login. The stricter of two decisions holds; who is new here brings
   * theirs along. After an erasure nothing is taken in. @param now Unix milliseconds
   */
  async absorb(other: VisitorState, now: number): Promise<Visited> {
    const row = this.row()
    if (refuses(row, now)) return { consent: DENIED, items: [] }
    const own = stateOf(row)
    const consent = own === null ? other.consent : stricter(own.consent, other.consent)
    const base = { ...(own ?? newState(consent, now)), consent }
    const state = consent.personalisation === 'granted' ? joined(base, other, now) : forget(base, consent, now)
    await this.keep(row, state)
    return { consent, items: state.items }
  }

  /** Everything that is held, for the visitor to see. */
  export(now: number): { state: VisitorState | null; erasedUntil: number | null } {
    const row = this.row()
    return { state: stateOf(row), erasedUntil: row !== null && refuses(row, now) ? row.erased_until : null }
  }

  /** Forgets everything but that nothing must be taken in until `until` (Unix milliseconds); later that is forgotten too. */
  async erase(until: number): Promise<void> {
    await this.ctx.storage.deleteAll()
    this.write(null, until)
    await this.ctx.storage.setAlarm(until + MARK_AFTER_REFUSAL_MS)
  }

  /** Set once, when the object is made or erased: a write for each visit would cost more than looking again. */
  override async alarm(): Promise<void> {
    const now = Date.now()
    const row = this.row()
    const state = stateOf(row)
    const end = state === null ? (row?.erased_until ?? 0) + MARK_AFTER_REFUSAL_MS : state.updatedAt + IDLE_LIFE_MS
    if (end > now) await this.ctx.storage.setAlarm(end)
    else await this.ctx.storage.deleteAll()
  }

  private async keep(before: Row | null, state: VisitorState): Promise<void> {
    this.write(state, 0)
    if (before === null) await this.ctx.storage.setAlarm(state.updatedAt + IDLE_LIFE_MS)
  }

  private row(): Row | null {
    try {
      return this.ctx.storage.sql.exec<Row>('SELECT json, erased_until FROM visitor WHERE id = 1').toArray()[0] ?? null
    } catch (error) {
      // The table is made only when something is written: a mere look must leave no trace. Most looks find it, so none asks for it first.
      if (error instanceof Error && error.message.includes('no such table')) return null
      throw error
    }
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
const refuses = (row: Row | null, now: number): boolean => row !== null && row.json === null && row.erased_until > now

const stateOf = (row: Row | null): VisitorState | null => (row?.json == null ? null : parseState(row.json))

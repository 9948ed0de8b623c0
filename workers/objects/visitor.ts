import { DurableObject } from 'cloudflare:workers'
import { REMEMBERED_ITEMS } from '../../shared/memory.ts'
import type { Deed } from '../../shared/ranking/release-view.ts'
import type { Consent } from '../../shared/schemas/ids.ts'
import { TOKEN_LIFE_SECONDS } from '../identity/memory-token.ts'

/** One item of a visitor's past; `at` in Unix milliseconds. */
export type VisitorItem = { id: string; deed: Deed; at: number }

export type VisitorState = {
  consent: Consent
  /** Distinct, newest first. */
  items: VisitorItem[]
  /** When the object was made and last written, Unix milliseconds. */
  createdAt: number
  updatedAt: number
}

type Row = { json: string; erased_until: number }

/** Late events may arrive this long after an erasure; until then, and until no token is left, nothing is taken in. */
const LATE_EVENTS_MS = 72 * 3600 * 1000

/** One visitor: what they did last, and what they allowed. Exists only with their consent. */
export class Visitor extends DurableObject<Env> {
  /** Takes in what the visitor did. Null after an erasure. */
  record(deeds: VisitorItem[], now: number): VisitorState | null {
    const row = this.row()
    if (row !== null && row.erased_until > now) return null
    const before = stateOf(row) ?? { consent: 'granted', items: [], createdAt: now, updatedAt: now }
    const after: VisitorState = { ...before, consent: 'granted', items: remember(before.items, deeds), updatedAt: now }
    this.write(after, 0)
    return after
  }

  /** Null where there is nothing, or not any more. */
  read(): VisitorState | null {
    return stateOf(this.row())
  }

  /** Starts an object from an imported history; one that already has a past keeps it. */
  seed(items: VisitorItem[], now: number): void {
    const row = this.row()
    if (row === null) this.write({ consent: 'granted', items: items.slice(0, REMEMBERED_ITEMS), createdAt: now, updatedAt: now }, 0)
  }

  /** Forgets everything but that it must not take anything in until `until` (Unix milliseconds). */
  erase(now: number): { until: number } {
    const until = now + TOKEN_LIFE_SECONDS * 1000 + LATE_EVENTS_MS
    this.write(null, until)
    return { until }
  }

  private row(): Row | null {
    const { sql } = this.ctx.storage
    // The table is made only when something is written: a mere look must leave no trace.
    const tables = sql.exec("SELECT name FROM sqlite_master WHERE name = 'visitor'").toArray()
    return tables.length === 0 ? null : (sql.exec<Row>('SELECT json, erased_until FROM visitor WHERE id = 1').toArray()[0] ?? null)
  }

  /** One row, one value: a write costs one row. */
  private write(state: VisitorState | null, erasedUntil: number): void {
    const { sql } = this.ctx.storage
    sql.exec('CREATE TABLE IF NOT EXISTS visitor (id INTEGER PRIMARY KEY, json TEXT NOT NULL, erased_until INTEGER NOT NULL)')
    sql.exec('INSERT OR REPLACE INTO visitor (id, json, erased_until) VALUES (1, ?, ?)', JSON.stringify(state), erasedUntil)
  }
}

function stateOf(row: Row | null): VisitorState | null {
  return row === null ? null : (JSON.parse(row.json) as VisitorState | null)
}

/** Newest first, distinct; an item's deed is the most committed one. */
function remember(items: readonly VisitorItem[], deeds: readonly VisitorItem[]): VisitorItem[] {
  const all = [...deeds, ...items].sort((a, b) => b.at - a.at)
  const kept = new Map<string, VisitorItem>()
  for (const item of all) {
    const before = kept.get(item.id)
    if (before === undefined) kept.set(item.id, { ...item })
    else if (item.deed > before.deed) before.deed = item.deed
  }
  return [...kept.values()].slice(0, REMEMBERED_ITEMS)
}

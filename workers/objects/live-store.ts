import * as v from 'valibot'
import type { Overlay } from '../../shared/overlay.ts'
import { changed, type ItemRecord, LiveItem } from '../../shared/schemas/items.ts'
import { warn } from '../log.ts'

/** What an admin says of items. */
export type Availability = Pick<Overlay, 'unavailable' | 'hidden'>
/** A live item, and its text as it is kept. */
export type KeptItem = { live: LiveItem; json: string }
/** Lines that the log of the catalogue does not have yet, up to the row `last`; `received` is when the first of them came. */
export type Unlogged = { last: number; received: number; lines: string }

type Row = { item: string; json: string }

/** What goes into one file of the log, at most, in characters. */
const CHARACTERS_A_FILE = 4_000_000

/** All live state that somebody has said, in an object's SQLite: changed items, what an admin hides, and lines for the night. */
export class LiveStore {
  private readonly storage: DurableObjectStorage

  constructor(storage: DurableObjectStorage) {
    this.storage = storage
  }

  exists(): boolean {
    return this.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'live_items'").toArray().length > 0
  }

  /** @param items, availability what there is from before there was this store */
  create(items: readonly unknown[], availability: Availability): void {
    this.storage.transactionSync(() => {
      this.storage.sql.exec(`
        CREATE TABLE live_items (item TEXT PRIMARY KEY, json TEXT NOT NULL, liked INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE unlogged (seq INTEGER PRIMARY KEY, received INTEGER NOT NULL, lines TEXT NOT NULL);
        CREATE TABLE availability (id INTEGER PRIMARY KEY, json TEXT NOT NULL)`)
      for (const item of items) {
        const parsed = v.safeParse(LiveItem, item)
        if (parsed.success) this.keep(parsed.output, parsed.output.like.length > 0)
      }
      this.setAvailability(availability)
    })
  }

  /** Takes in changes of the catalogue. @param now Unix milliseconds */
  change(changes: readonly ItemRecord[], now: number): void {
    this.storage.transactionSync(() => {
      const lines = changes.map((change) => `${JSON.stringify(change)}\n`).join('')
      this.storage.sql.exec('INSERT INTO unlogged (received, lines) VALUES (?, ?)', now, lines)
      for (const change of changes) {
        const [before] = this.read('WHERE item = ?', change.item)
        this.keep(changed(before?.live, change), false)
      }
    })
  }

  count(): number {
    return this.storage.sql.exec<{ n: number }>('SELECT count(*) AS n FROM live_items').one().n
  }

  items(): KeptItem[] {
    return this.read('')
  }

  /** Those of which it is not known yet what they are like. */
  unliked(): KeptItem[] {
    return this.read('WHERE liked = 0')
  }

  /** What an item is like, unless it has changed since it was read. */
  like({ live, json }: KeptItem, like: LiveItem['like']): void {
    const { sql } = this.storage
    sql.exec('UPDATE live_items SET json = ?, liked = 1 WHERE item = ? AND json = ?', JSON.stringify({ ...live, like }), live.item, json)
  }

  drop(items: readonly string[]): void {
    for (const item of items) this.storage.sql.exec('DELETE FROM live_items WHERE item = ?', item)
  }

  availability(): Availability {
    return JSON.parse(this.storage.sql.exec<{ json: string }>('SELECT json FROM availability').one().json) as Availability
  }

  setAvailability(availability: Availability): void {
    this.storage.sql.exec('INSERT OR REPLACE INTO availability (id, json) VALUES (1, ?)', JSON.stringify(availability))
  }

  /** The oldest lines that wait for the log, as many as one file takes; null where none do. */
  unlogged(): Unlogged | null {
    const { sql } = this.storage
    let last = 0
    let characters = 0
    for (const row of sql.exec<{ seq: number; size: number }>('SELECT seq, length(lines) AS size FROM unlogged ORDER BY seq').toArray()) {
      characters += row.size
      if (last > 0 && characters > CHARACTERS_A_FILE) break
      last = row.seq
    }
    if (last === 0) return null
    const rows = sql
      .exec<{ received: number; lines: string }>('SELECT received, lines FROM unlogged WHERE seq <= ? ORDER BY seq', last)
      .toArray()
    return { last, received: rows[0].received, lines: rows.map(({ lines }) => lines).join('') }
  }

  logged({ last }: Unlogged): void {
    this.storage.sql.exec('DELETE FROM unlogged WHERE seq <= ?', last)
  }

  private keep(live: LiveItem, liked: boolean): void {
    this.storage.sql.exec(
      'INSERT OR REPLACE INTO live_items (item, json, liked) VALUES (?, ?, ?)',
      live.item,
      JSON.stringify(live),
      liked || live.removed ? 1 : 0,
    )
  }

  /** What no isolate could read goes: it would take all others with it, and the log has it for the night. */
  private read(where: string, ...parameters: string[]): KeptItem[] {
    const rows = this.storage.sql.exec<Row>(`SELECT item, json FROM live_items ${where} ORDER BY item`, ...parameters).toArray()
    return rows.flatMap(({ item, json }) => {
      const parsed = v.safeParse(LiveItem, JSON.parse(json))
      if (parsed.success) return { live: parsed.output, json }
      warn('live-item-unreadable', new Error(parsed.issues[0].message))
      this.drop([item])
      return []
    })
  }
}

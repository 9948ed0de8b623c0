import { DurableObject } from 'cloudflare:workers'
import type { EventRecord } from '../../shared/schemas/events.ts'
import { addTrends, type HourTrends, mergeTrends, type Trends } from '../cron/trends.ts'

/** How long events may wait in the object before they are written to R2. */
const FLUSH_AFTER_MS = 60_000
const RETRY_AFTER_MS = 30_000
/** Posts that go into one archive file; a post has at most 64 KB. */
const POSTS_A_FILE = 500
const HOUR_MS = 3_600_000
/** Trends are kept this long. */
const TREND_HOURS = 24

type Post = { seq: number; received: number; lines: string }
type Flush = { first: number; last: number; key: string }

/**
 * A shard of the event log. Any shard takes any event: a post is one row, committed before it is acknowledged, and written
 * to R2 by alarm under a key that depends only on the rows, so that a flush that was cut off is repeated, not doubled.
 */
export class EventLog extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS posts (seq INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, lines TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS flushes (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, key TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS trends (hour INTEGER PRIMARY KEY, json TEXT NOT NULL)`)
  }

  /** @param lines EventRecord lines (NDJSON) @param received Unix milliseconds */
  async append(lines: string, received: number): Promise<void> {
    this.ctx.storage.sql.exec('INSERT INTO posts (received, lines) VALUES (?, ?)', received, lines)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + FLUSH_AFTER_MS)
  }

  override async alarm(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      console.warn(JSON.stringify({ event: 'flush-failed', error: error instanceof Error ? error.message : String(error) }))
      await this.ctx.storage.setAlarm(Date.now() + RETRY_AFTER_MS)
    }
  }

  /** Writes everything that waits to R2. @returns how many posts went @throws when R2 does not take them; they stay */
  async flush(): Promise<number> {
    let posts = 0
    for (let flush = this.nextFlush(); flush !== null; flush = this.nextFlush()) posts += await this.write(flush)
    return posts
  }

  /** Distinct visitors by region and item over the last `hours`. @param now Unix milliseconds */
  trends(hours: number, now: number): Trends {
    const since = Math.floor(now / HOUR_MS) - hours
    const rows = this.ctx.storage.sql.exec<{ json: string }>('SELECT json FROM trends WHERE hour > ? ORDER BY hour', since).toArray()
    return mergeTrends(rows.map((row) => JSON.parse(row.json) as HourTrends))
  }

  /** A flush that was begun and not finished, else a new one over what waits; recorded before anything is written. */
  private nextFlush(): Flush | null {
    const { sql } = this.ctx.storage
    const begun = sql.exec<Flush>('SELECT first, last, key FROM flushes ORDER BY first LIMIT 1').toArray()[0]
    if (begun !== undefined) return begun
    const posts = sql
      .exec<{ seq: number; received: number }>('SELECT seq, received FROM posts ORDER BY seq LIMIT ?', POSTS_A_FILE)
      .toArray()
    if (posts.length === 0) return null
    const first = posts[0].seq
    const last = posts[posts.length - 1].seq
    const key = archiveKey(this.ctx.id.toString(), posts[0].received, first, last)
    sql.exec('INSERT INTO flushes (first, last, key) VALUES (?, ?, ?)', first, last, key)
    return { first, last, key }
  }

  private async write({ first, last, key }: Flush): Promise<number> {
    const { sql } = this.ctx.storage
    const posts = sql.exec<Post>('SELECT seq, received, lines FROM posts WHERE seq BETWEEN ? AND ? ORDER BY seq', first, last).toArray()
    // A flush cut off after its rows were deleted has nothing left to write, and must not write over its file.
    if (posts.length > 0) await this.env.EVENTS.put(key, posts.map((post) => post.lines).join(''))
    this.ctx.storage.transactionSync(() => {
      for (const post of posts) this.count(post)
      sql.exec('DELETE FROM posts WHERE seq BETWEEN ? AND ?', first, last)
      sql.exec('DELETE FROM flushes WHERE first = ?', first)
    })
    return posts.length
  }

  private count({ received, lines }: Post): void {
    const { sql } = this.ctx.storage
    const hour = Math.floor(received / HOUR_MS)
    const before = sql.exec<{ json: string }>('SELECT json FROM trends WHERE hour = ?', hour).toArray()[0]
    const records = lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EventRecord)
    const after = addTrends(before === undefined ? {} : (JSON.parse(before.json) as HourTrends), records)
    sql.exec('INSERT OR REPLACE INTO trends (hour, json) VALUES (?, ?)', hour, JSON.stringify(after))
    sql.exec('DELETE FROM trends WHERE hour <= ?', hour - TREND_HOURS)
  }
}

/** `events/date=2026-11-23/hour=18/<shard>-<first>-<last>.ndjson`; day and hour are UTC, of when the first post came. */
function archiveKey(shard: string, received: number, first: number, last: number): string {
  const iso = new Date(received).toISOString()
  return `events/date=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/${shard.slice(0, 16)}-${first}-${last}.ndjson`
}

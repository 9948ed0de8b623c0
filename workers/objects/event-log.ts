import { DurableObject } from 'cloudflare:workers'
import { isRejectedLine, quarantineKey } from '../../shared/quarantine.ts'
import type { ErasureRecord, EventRecord } from '../../shared/schemas/events.ts'
import type { Trends } from '../cron/trends.ts'
import { warn } from '../log.ts'
import { asNobodys, createCrowdTable, forgetNetworks, judgeCrowd, type Sender } from './crowd.ts'
import { countTrends, createTrendTable, readTrends } from './trend-store.ts'

/** How long events may wait in the object before they are written to R2. */
const FLUSH_AFTER_MS = 60_000
const FIRST_RETRY_MS = 15_000
const LAST_RETRY_MS = 15 * 60_000
/** What goes into one archive file, at most: a Worker's memory is small. */
const POSTS_A_FILE = 2000
const CHARACTERS_A_FILE = 4_000_000
const HOUR_MS = 3_600_000

type Post = { received: number; lines: string; network: string | null; mark: number | null }
/** A range of posts and the archive file that is theirs. */
type Flush = { first: number; last: number; key: string }

/**
 * A shard of the event log. Any shard takes any event: a post is one row, committed before it is acknowledged, and written
 * to R2 by alarm. The range of a file is recorded before the file is written: a flush that was cut off writes the same file
 * again, whatever came since, so that nothing is lost and nothing doubled.
 */
export class EventLog extends DurableObject<Env> {
  private flushing: Promise<unknown> = Promise.resolve()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    // AUTOINCREMENT: a number that was used never comes again, or a later file would take the place of an earlier one.
    ctx.storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS posts (seq INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, lines TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS flush (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, key TEXT NOT NULL, attempts INTEGER NOT NULL)`)
    createTrendTable(ctx.storage.sql)
    createCrowdTable(ctx.storage.sql)
    // Shards that were made before networks were counted.
    const columns = ctx.storage.sql.exec<{ name: string }>('PRAGMA table_info(posts)').toArray()
    if (!columns.some(({ name }) => name === 'network'))
      ctx.storage.sql.exec('ALTER TABLE posts ADD COLUMN network TEXT; ALTER TABLE posts ADD COLUMN mark INTEGER')
  }

  /** @param lines archive lines (NDJSON), all of one sender @param received Unix milliseconds */
  async append(lines: string, received: number, sender: Sender | null = null): Promise<void> {
    const { network = null, mark = null } = sender ?? {}
    this.ctx.storage.sql.exec('INSERT INTO posts (received, lines, network, mark) VALUES (?, ?, ?, ?)', received, lines, network, mark)
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + FLUSH_AFTER_MS)
  }

  override async alarm(): Promise<void> {
    try {
      await this.flush()
    } catch (error) {
      warn('flush-failed', error)
      // The platform gives up on an alarm that keeps failing; this one never does.
      await this.ctx.storage.setAlarm(Date.now() + this.retryAfter())
    }
  }

  /** Writes everything that waits to R2. @returns how many posts went @throws when R2 does not take them; they stay */
  flush(): Promise<number> {
    const mine = this.flushing.then(() => this.writeAll())
    this.flushing = mine.catch(() => undefined)
    return mine
  }

  /** Who took what over the last `hours`. @param now Unix milliseconds */
  trends(hours: number, now: number): Trends {
    return readTrends(this.ctx.storage.sql, hours, now)
  }

  private async writeAll(): Promise<number> {
    forgetNetworks(this.ctx.storage.sql, Date.now())
    let posts = 0
    for (let flush = this.nextFlush(); flush !== null; flush = this.nextFlush()) posts += await this.write(flush)
    return posts
  }

  /** A flush that was begun and not finished, else a new one over what waits: posts of one hour, in order. */
  private nextFlush(): Flush | null {
    const { sql } = this.ctx.storage
    const begun = sql.exec<Flush>('SELECT first, last, key FROM flush ORDER BY first LIMIT 1').toArray()[0]
    if (begun !== undefined) return begun
    let first: { seq: number; received: number } | null = null
    let last = 0
    let characters = 0
    const waiting = sql.exec<{ seq: number; received: number; size: number }>(
      'SELECT seq, received, length(lines) AS size FROM posts ORDER BY seq LIMIT ?',
      POSTS_A_FILE,
    )
    for (const post of waiting) {
      first ??= post
      characters += post.size
      if (post !== first && (characters > CHARACTERS_A_FILE || hourOf(post.received) !== hourOf(first.received))) break
      last = post.seq
    }
    if (first === null) return null
    const key = archiveKey(this.ctx.id.toString(), first.received, first.seq, last)
    sql.exec('INSERT INTO flush (first, last, key, attempts) VALUES (?, ?, ?, 0)', first.seq, last, key)
    return { first: first.seq, last, key }
  }

  private async write({ first, last, key }: Flush): Promise<number> {
    const { sql } = this.ctx.storage
    const posts = sql
      .exec<Post>('SELECT received, lines, network, mark FROM posts WHERE seq BETWEEN ? AND ? ORDER BY seq', first, last)
      .toArray()
    const crowd = judgeCrowd(sql, posts, Math.max(0, Number(this.env.CROWD_LIMIT) || 0))
    const lines = posts.flatMap((post, i) => {
      const own = post.lines.split('\n').filter((line) => line !== '')
      return crowd.counts[i] ? own : own.map(asNobodys)
    })
    const taken = lines.filter((line) => !isRejectedLine(line))
    const rejected = lines.filter(isRejectedLine)
    if (taken.length > 0) await this.env.EVENTS.put(key, textOf(taken))
    if (rejected.length > 0) await this.env.EVENTS.put(quarantineKey(key), textOf(rejected))
    if (posts.length > 0) this.countTrends(taken, posts[0].received)
    this.ctx.storage.transactionSync(() => {
      crowd.keep()
      sql.exec('DELETE FROM posts WHERE seq BETWEEN ? AND ?', first, last)
      sql.exec('DELETE FROM flush WHERE first = ?', first)
    })
    return posts.length
  }

  /** Trends are a guess at what is wanted now: they never keep events from the archive. */
  private countTrends(lines: readonly string[], received: number): void {
    try {
      const records = lines.map((line) => JSON.parse(line) as EventRecord | ErasureRecord).filter((record) => record.type !== 'erasure')
      countTrends(this.ctx.storage.sql, records, received)
    } catch (error) {
      warn('trends-failed', error)
    }
  }

  /** Doubles with every failure in a row. */
  private retryAfter(): number {
    const { sql } = this.ctx.storage
    sql.exec('UPDATE flush SET attempts = attempts + 1')
    const attempts = sql.exec<{ attempts: number }>('SELECT attempts FROM flush ORDER BY first LIMIT 1').toArray()[0]?.attempts ?? 1
    return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1))
  }
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const hourOf = (milliseconds: number): number => Math.floor(milliseconds / HOUR_MS)

/** `events/date=2026-11-23/hour=18/<shard>-<first>-<last>.ndjson`; day and hour are UTC, of when the posts came. */
function archiveKey(shard: string, received: number, first: number, last: number): string {
  const iso = new Date(received).toISOString()
  return `events/date=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/${shard.slice(0, 16)}-${first}-${last}.ndjson`
}

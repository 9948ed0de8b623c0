import { DurableObject } from 'cloudflare:workers'
import { isRejectedLine, quarantineKey } from '../../shared/quarantine.ts'
import type { ErasureRecord, EventRecord } from '../../shared/schemas/events.ts'
import type { Trends } from '../cron/trends.ts'
import { warn } from '../log.ts'
import { asNobodys, createCrowdTable, forgetNetworks, judgeCrowd, type Sender } from './crowd.ts'
import { euBucket } from './place.ts'
import { PostStore, type Range } from './post-store.ts'
import { countTrends, createTrendTable, readTrends } from './trend-store.ts'

/** How long events may wait in the object before they are written to R2. */
const FLUSH_AFTER_MS = 60_000
const FIRST_RETRY_MS = 15_000
const LAST_RETRY_MS = 15 * 60_000
/** What goes into one archive file, at most: a Worker's memory is small. */
const POSTS_A_FILE = 2000
const CHARACTERS_A_FILE = 4_000_000
const HOUR_MS = 3_600_000

/**
 * A shard of the event log. Any shard takes any event: a post is one row, committed before it is acknowledged, and written
 * to R2 by alarm. The range of a file is recorded before the file is written: a flush that was cut off writes the same file
 * again, whatever came since, so that nothing is lost and nothing doubled.
 */
export class EventLog extends DurableObject<Env> {
  private flushing: Promise<unknown> = Promise.resolve()
  private isInEu: boolean
  private readonly posts: PostStore

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.posts = new PostStore(ctx.storage)
    createTrendTable(ctx.storage.sql)
    // Told by a table that is there or not: whatever becomes of the configuration, a shard knows where what it holds belongs.
    this.isInEu = ctx.storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'in_eu'").toArray().length > 0
    createCrowdTable(ctx.storage.sql)
  }

  /** @param lines archive lines (NDJSON), all of one sender @param received Unix milliseconds @param eu whether this shard is one of the EU's */
  async append(lines: string, received: number, sender: Sender | null = null, eu = false): Promise<void> {
    const { network = null, mark = null } = sender ?? {}
    if (eu && !this.isInEu) {
      this.ctx.storage.sql.exec('CREATE TABLE in_eu (id INTEGER PRIMARY KEY)')
      this.isInEu = true
    }
    this.posts.add({ received, lines, network, mark })
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

  /** How many posts wait. */
  waiting(): number {
    return this.posts.waiting()
  }

  private async writeAll(): Promise<number> {
    forgetNetworks(this.ctx.storage.sql, Date.now())
    let posts = 0
    for (let flush = this.nextFlush(); flush !== null; flush = this.nextFlush()) posts += await this.write(flush)
    return posts
  }

  /** A flush that was begun and not finished, else a new one over what waits: posts of one hour, in order. */
  private nextFlush(): Range | null {
    const begun = this.posts.begun()
    if (begun !== null) return begun
    let first: { seq: number; received: number } | null = null
    let last = 0
    let characters = 0
    for (const post of this.posts.oldest(POSTS_A_FILE)) {
      first ??= post
      characters += post.size
      if (post !== first && (characters > CHARACTERS_A_FILE || hourOf(post.received) !== hourOf(first.received))) break
      last = post.seq
    }
    if (first === null) return null
    const range = { first: first.seq, last, key: archiveKey(this.ctx.id.toString(), first.received, first.seq, last) }
    this.posts.begin(range)
    return range
  }

  private async write(range: Range): Promise<number> {
    const { sql } = this.ctx.storage
    const { key } = range
    const posts = this.posts.read(range)
    const crowd = judgeCrowd(sql, posts, Math.max(0, Number(this.env.CROWD_LIMIT) || 0))
    const lines = posts.flatMap((post, i) => {
      const own = post.lines.split('\n').filter((line) => line !== '')
      return crowd.counts[i] ? own : own.map(asNobodys)
    })
    const taken = lines.filter((line) => !isRejectedLine(line))
    const rejected = lines.filter(isRejectedLine)
    const archive = this.archive()
    if (taken.length > 0) await archive.put(key, textOf(taken))
    if (rejected.length > 0) await archive.put(quarantineKey(key), textOf(rejected))
    if (posts.length > 0) this.countTrends(taken, posts[0].received)
    this.ctx.storage.transactionSync(() => {
      crowd.keep()
      this.posts.end(range)
    })
    return posts.length
  }

  /** @throws when this shard is one of the EU's and the deployment has no bucket there any more: what it holds waits for one */
  private archive(): R2Bucket {
    if (!this.isInEu) return this.env.EVENTS
    const bucket = euBucket(this.env)
    if (bucket === null) throw new Error('EVENTS_EU is not bound, and events of the EU wait for it')
    return bucket
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
    return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.posts.failed() - 1))
  }
}

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
const hourOf = (milliseconds: number): number => Math.floor(milliseconds / HOUR_MS)

/** `events/date=2026-11-23/hour=18/<shard>-<first>-<last>.ndjson`; day and hour are UTC, of when the posts came. */
function archiveKey(shard: string, received: number, first: number, last: number): string {
  const iso = new Date(received).toISOString()
  return `events/date=${iso.slice(0, 10)}/hour=${iso.slice(11, 13)}/${shard.slice(0, 16)}-${first}-${last}.ndjson`
}

export type Post = { received: number; lines: string; network: string | null; mark: number | null }
/** A range of posts and the archive file that is theirs. */
export type Range = { first: number; last: number; key: string }

/**
 * The posts of a shard that wait for the archive. Deleting a row is billed like writing one, dropping a table is not: posts
 * go into one of two tables, the other one is closed, and dropped when the archive has all of it.
 */
const TABLES = ['posts_0', 'posts_1'] as const
type Table = (typeof TABLES)[number]

export class PostStore {
  private readonly storage: DurableObjectStorage
  private open: Table
  private next: number

  constructor(storage: DurableObjectStorage) {
    this.storage = storage
    const { sql } = storage
    // One row: the range that is being archived, or the last one that was, with a null key. Its numbers never come again.
    sql.exec(
      'CREATE TABLE IF NOT EXISTS archived (id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, key TEXT, attempts INTEGER NOT NULL)',
    )
    this.takeOverOldTables()
    if (this.tables().length === 0) create(sql, TABLES[0])
    // A closed table is never empty.
    const [newest, ...others] = this.tables()
      .map((table) => ({ table, last: this.lastOf(table) }))
      .sort((a, b) => (b.last ?? Number.POSITIVE_INFINITY) - (a.last ?? Number.POSITIVE_INFINITY))
    this.open = newest.table
    this.next = 1 + Math.max(...[newest, ...others].map(({ last }) => last ?? 0), this.row()?.last ?? 0)
  }

  add({ received, lines, network, mark }: Post): void {
    this.storage.sql.exec(
      `INSERT INTO ${this.open} (seq, received, lines, network, mark) VALUES (?, ?, ?, ?, ?)`,
      this.next++,
      received,
      lines,
      network,
      mark,
    )
  }

  /** The range that was begun and has not ended. */
  begun(): Range | null {
    const row = this.row()
    return row === null || row.key === null ? null : { first: row.first, last: row.last, key: row.key }
  }

  /** Of the posts that wait the oldest, in order; none where nothing waits. They are closed: no later post joins them. */
  oldest(most: number): { seq: number; received: number; size: number }[] {
    const ended = this.row()?.last ?? 0
    let table = this.closed() ?? this.close()
    if (table !== null && (this.lastOf(table) ?? 0) <= ended) {
      this.storage.sql.exec(`DROP TABLE ${table}`)
      table = this.close()
    }
    if (table === null) return []
    // Read to the end: a table cannot be dropped while some statement still reads it.
    return this.storage.sql
      .exec<{ seq: number; received: number; size: number }>(
        `SELECT seq, received, length(lines) AS size FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ?`,
        ended,
        most,
      )
      .toArray()
  }

  begin({ first, last, key }: Range): void {
    this.storage.sql.exec('INSERT OR REPLACE INTO archived (id, first, last, key, attempts) VALUES (1, ?, ?, ?, 0)', first, last, key)
  }

  read({ first, last }: Range): Post[] {
    return this.tables().flatMap((table) =>
      this.storage.sql
        .exec<Post>(`SELECT received, lines, network, mark FROM ${table} WHERE seq BETWEEN ? AND ? ORDER BY seq`, first, last)
        .toArray(),
    )
  }

  /** The archive has the range. To be called in a transaction: what is told of these posts elsewhere belongs to it. */
  end({ last }: Range): void {
    this.storage.sql.exec('UPDATE archived SET key = NULL WHERE id = 1')
    const closed = this.closed()
    if (closed !== null && (this.lastOf(closed) ?? 0) <= last) this.storage.sql.exec(`DROP TABLE ${closed}`)
  }

  /** Counts a failure of the range that was begun. @returns how many there were in a row */
  failed(): number {
    this.storage.sql.exec('UPDATE archived SET attempts = attempts + 1 WHERE id = 1')
    return Math.max(1, this.row()?.attempts ?? 1)
  }

  waiting(): number {
    const { sql } = this.storage
    const last = this.begun() === null ? (this.row()?.last ?? 0) : (this.row()?.first ?? 1) - 1
    return this.tables().reduce(
      (sum, table) => sum + sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table} WHERE seq > ?`, last).one().n,
      0,
    )
  }

  private tables(): Table[] {
    const names = this.storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()
    return TABLES.filter((table) => names.some(({ name }) => name === table))
  }

  private closed(): Table | null {
    return this.tables().find((table) => table !== this.open) ?? null
  }

  /** Closes the table that posts went into, unless it is empty. */
  private close(): Table | null {
    const table = this.open
    if (this.lastOf(table) === null) return null
    const other = TABLES[1 - TABLES.indexOf(table)]
    create(this.storage.sql, other)
    this.open = other
    return table
  }

  private lastOf(table: Table): number | null {
    return this.storage.sql.exec<{ last: number | null }>(`SELECT max(seq) AS last FROM ${table}`).one().last
  }

  private row(): { first: number; last: number; key: string | null; attempts: number } | null {
    return (
      this.storage.sql
        .exec<{ first: number; last: number; key: string | null; attempts: number }>('SELECT first, last, key, attempts FROM archived')
        .toArray()[0] ?? null
    )
  }

  /** Shards of before: `posts`, numbered by AUTOINCREMENT, and `flush` for the range that was begun. */
  private takeOverOldTables(): void {
    const { sql } = this.storage
    if (sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'posts'").toArray().length === 0) return
    this.storage.transactionSync(() => {
      const counted = sql.exec<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'posts'").toArray()[0]?.seq ?? 0
      const first = sql.exec<{ first: number | null }>('SELECT min(seq) AS first FROM posts').one().first
      const columns = sql.exec<{ name: string }>('PRAGMA table_info(posts)').toArray()
      // Some are older than the counting of networks.
      const sender = columns.some(({ name }) => name === 'network') ? 'network, mark' : 'NULL, NULL'
      create(sql, TABLES[0])
      sql.exec(`INSERT INTO ${TABLES[0]} (seq, received, lines, network, mark) SELECT seq, received, lines, ${sender} FROM posts`)
      const ended = first === null ? counted : first - 1
      sql.exec('INSERT OR REPLACE INTO archived (id, first, last, key, attempts) VALUES (1, ?, ?, NULL, 0)', ended, ended)
      sql.exec('INSERT OR REPLACE INTO archived (id, first, last, key, attempts) SELECT 1, first, last, key, attempts FROM flush LIMIT 1')
      sql.exec('DROP TABLE posts; DROP TABLE flush')
    })
  }
}

function create(sql: SqlStorage, table: Table): void {
  sql.exec(`CREATE TABLE ${table} (seq INTEGER PRIMARY KEY, received INTEGER NOT NULL, lines TEXT NOT NULL, network TEXT, mark INTEGER)`)
}

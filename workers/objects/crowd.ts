import { itemHash } from '../../shared/release/hash.ts'

const DAY_MS = 86_400_000
/** Networks a shard counts a day, at most: those with most visitors stay. */
const MOST_NETWORKS = 5000
const MARKS = 2 ** 32

/** Who sent a post, as far as the shard may know: a hash of the day and the network, and a mark of the visitor within it. */
export type Sender = { network: string; mark: number }

export const senderOf = (network: string | null, visitor: string | null): Sender | null =>
  network === null || visitor === null ? null : { network, mark: itemHash(`${network} ${visitor}`, 0) % MARKS }

/** By network, the marks of the visitors who count today, in the order in which they came. */
type Day = Map<string, number[]>

export function createCrowdTable(sql: SqlStorage): void {
  sql.exec('CREATE TABLE IF NOT EXISTS network_days (day INTEGER PRIMARY KEY, networks TEXT NOT NULL)')
}

/**
 * Which posts count: of the visitors behind one network those that came first that day, `most` of them; 0 = all. Nothing is
 * written: asked again after a flush that was cut off, the answer is the same.
 */
export function judgeCrowd(
  sql: SqlStorage,
  posts: readonly { received: number; network: string | null; mark: number | null }[],
  most: number,
): { counts: boolean[]; keep: () => void } {
  const days = new Map<number, Day>()
  const dayOf = (day: number): Day => {
    const known = days.get(day) ?? readDay(sql, day)
    days.set(day, known)
    return known
  }
  const counts = posts.map(({ received, network, mark }) => {
    if (network === null || mark === null || most === 0) return true
    const day = dayOf(Math.floor(received / DAY_MS))
    const marks = day.get(network) ?? []
    if (marks.includes(mark)) return true
    if (marks.length >= most) return false
    day.set(network, [...marks, mark])
    return true
  })
  const keep = (): void => {
    for (const [day, networks] of days) {
      const kept = [...networks].sort((a, b) => b[1].length - a[1].length || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_NETWORKS)
      sql.exec('INSERT OR REPLACE INTO network_days (day, networks) VALUES (?, ?)', day, JSON.stringify(kept))
    }
  }
  return { counts, keep }
}

/** Nothing of a network stays beyond its day. @param now Unix milliseconds */
export function forgetNetworks(sql: SqlStorage, now: number): void {
  sql.exec('DELETE FROM network_days WHERE day < ?', Math.floor(now / DAY_MS))
}

function readDay(sql: SqlStorage, day: number): Day {
  const row = sql.exec<{ networks: string }>('SELECT networks FROM network_days WHERE day = ?', day).toArray()[0]
  return new Map(row === undefined ? [] : (JSON.parse(row.networks) as [string, number[]][]))
}

/** The line of someone who does not count: kept, and nobody's. */
export function asNobodys(line: string): string {
  const record = JSON.parse(line) as object
  return JSON.stringify({ ...record, visitor: null, device: null, referrer: null, order: undefined, crowd: true })
}

import type { EventRecord } from '../../shared/schemas/events.ts'
import type { Sketch } from '../cron/sketch.ts'
import { type ItemSketches, MOST_ITEMS, mergeTrends, type Trends, topOf, trendsOf } from '../cron/trends.ts'

const HOUR_MS = 3_600_000
const KEPT_HOURS = 24

type Row = { region: string; items: string }

export function createTrendTable(sql: SqlStorage): void {
  sql.exec(
    'CREATE TABLE IF NOT EXISTS trend_hours (hour INTEGER NOT NULL, region TEXT NOT NULL, items TEXT NOT NULL, PRIMARY KEY (hour, region)) WITHOUT ROWID',
  )
}

/** Adds to the hour's sketches. Adding the same again changes nothing. @param received Unix milliseconds */
export function countTrends(sql: SqlStorage, records: readonly EventRecord[], received: number): void {
  const hour = Math.floor(received / HOUR_MS)
  for (const [region, items] of trendsOf(records)) {
    const before = sql.exec<Row>('SELECT region, items FROM trend_hours WHERE hour = ? AND region = ?', hour, region).toArray()
    const merged = mergeTrends([new Map([[region, items]]), readRows(before)])
    const kept = topOf(merged.get(region) ?? items, MOST_ITEMS)
    sql.exec('INSERT OR REPLACE INTO trend_hours (hour, region, items) VALUES (?, ?, ?)', hour, region, JSON.stringify(kept))
  }
  sql.exec('DELETE FROM trend_hours WHERE hour <= ?', hour - KEPT_HOURS)
}

/** The last `hours` in one. @param now Unix milliseconds */
export function readTrends(sql: SqlStorage, hours: number, now: number): Trends {
  const since = Math.floor(now / HOUR_MS) - hours
  const merged = readRows(sql.exec<Row>('SELECT region, items FROM trend_hours WHERE hour > ? ORDER BY hour, region', since))
  for (const [region, items] of merged) merged.set(region, new Map(topOf(items, MOST_ITEMS)))
  return merged
}

function readRows(rows: Iterable<Row>): Trends {
  const parts: Trends[] = []
  for (const { region, items } of rows)
    parts.push(new Map([[region, new Map(JSON.parse(items) as [string, Sketch][]) satisfies ItemSketches]]))
  return mergeTrends(parts)
}

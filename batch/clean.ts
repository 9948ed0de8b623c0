import type { DuckDBConnection } from '@duckdb/node-api'
import { eachRow, scalar } from './engine/database.ts'

/** More deeds of one edge visitor than this in `seconds`, or of one kind with one item in a day, no person means. */
const PACE = { seconds: 600, deeds: 200, item: 5 }

/** What 512 MB of the engine's memory are enough for, many times over. */
const ROWS_A_PASS = 2_000_000

/** 2000-01-01 and 2100-01-01: what lies outside is a unit mistaken, not a time. */
export const EARLIEST = 946_684_800
export const LATEST = 4_102_444_800

/** @see IngestOptions */
type Wanted = { from?: number; to?: number; humanPace?: boolean; rowsAPass?: number }

/** Leaves in `deeds`, a view of raw_events, what can be learned from. Nothing is copied: rows may be many. @returns rows left out, by reason */
export async function clean(
  db: DuckDBConnection,
  joined: boolean,
  { from = EARLIEST, to = LATEST, humanPace = true, rowsAPass = ROWS_A_PASS }: Wanted,
): Promise<Record<string, number>> {
  const reasons: [string, string][] = [
    ['removed from the catalogue', 'item IN (SELECT item FROM removed_items)'],
    ['no item', "item IS NULL OR item = ''"],
    ['item id over 200 bytes', 'octet_length(encode(item)) > 200'],
    ['no usable time', `at_s IS NULL OR at_s < ${EARLIEST} OR at_s >= ${LATEST}`],
    ['a weight that is not above 0', 'weight <= 0'],
    ['outside the window', `at_s < ${from} OR at_s >= ${to}`],
    [
      'kind is none of item_view, click, add_to_cart, purchase (map it with "kinds")',
      "kind IS NULL OR kind NOT IN ('click', 'item_view', 'add_to_cart', 'purchase')",
    ],
    ...(joined ? [['unknown item', 'NOT known'] as [string, string]] : []),
    ['without a visitor', "visitor IS NULL OR visitor = ''"],
  ]
  const reason = `CASE ${reasons.map(([name, test]) => `WHEN ${test} THEN '${name}'`).join(' ')} END`
  await db.run(`
    CREATE VIEW judged AS
    SELECT rowid AS row, ${reason} AS reason
    FROM (SELECT rowid, *, ${joined ? '(item IN (SELECT item FROM catalogue) OR NOT pseudonymous)' : 'true'} AS known FROM raw_events)`)
  const dropped: Record<string, number> = {}
  await eachRow(db, 'SELECT reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason', ([name, rows]) => {
    dropped[String(name)] = Number(rows)
  })
  await db.run('DELETE FROM raw_events WHERE rowid IN (SELECT row FROM judged WHERE reason IS NOT NULL)')
  const passesFor = (rows: number): number => Math.max(1, Math.ceil(rows / rowsAPass))
  const all = await scalar(db, 'SELECT count(*) FROM raw_events')
  await dropRepeated(db, passesFor(all))
  await db.run('CREATE VIEW deeds AS SELECT * FROM raw_events')
  const once = await scalar(db, 'SELECT count(*) FROM deeds')
  if (humanPace) await slowDown(db, passesFor(once))
  const fast = once - (await scalar(db, 'SELECT count(*) FROM deeds'))
  return { ...dropped, ...(all > once && { 'sent twice': all - once }), ...(fast > 0 && { 'faster than a person': fast }) }
}

/** Of the rows that have one id and item, the first stays. */
const dropRepeated = (db: DuckDBConnection, passes: number): Promise<void> =>
  deleteInPasses(
    db,
    passes,
    'id',
    (part) => `
      SELECT rowid FROM raw_events WHERE id IS NOT NULL AND ${part}
      QUALIFY row_number() OVER (PARTITION BY id, item ORDER BY seq) > 1`,
  )

/** What one visitor of the edge can add to anything is bounded: their first deeds count, at the pace of a person. */
const slowDown = (db: DuckDBConnection, passes: number): Promise<void> =>
  deleteInPasses(
    db,
    passes,
    'visitor',
    (part) => `
      SELECT rowid FROM raw_events WHERE pseudonymous AND ${part}
      QUALIFY row_number() OVER (PARTITION BY visitor, item, kind, at_s // 86400 ORDER BY at_s, seq) > ${PACE.item}
           OR row_number() OVER (PARTITION BY visitor, at_s // ${PACE.seconds} ORDER BY at_s, seq) > ${PACE.deeds}`,
  )

/**
 * Deletes the rows that `found` names, those that share a value of `column` together: what a pass holds does not grow
 * with the archive. @param found SQL for rowids, of the rows of which the condition `part` holds
 */
async function deleteInPasses(db: DuckDBConnection, passes: number, column: string, found: (part: string) => string): Promise<void> {
  for (let pass = 0; pass < passes; pass++)
    await db.run(`DELETE FROM raw_events WHERE rowid IN (${found(`hash(${column}) % ${passes} = ${pass}`)})`)
}

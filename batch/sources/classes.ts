import type { DuckDBConnection } from '@duckdb/node-api'
import { eachRow, quoted } from '../engine/database.ts'

/** What is rarer than so many others tells nothing. */
const MOST_TEXTS = 10_000

/**
 * Fills the temporary table `${column}_classes(${column}, class)` with what each text of the column stands for; a text
 * that stands for nothing has no row.
 */
export async function classify(
  db: DuckDBConnection,
  table: string,
  column: 'country' | 'device' | 'referrer',
  classOf: (text: string) => string | null,
): Promise<void> {
  await db.run(`CREATE OR REPLACE TEMP TABLE ${column}_classes (${column} VARCHAR, class VARCHAR)`)
  const rows: string[] = []
  const commonest = `SELECT ${column} FROM ${table} WHERE ${column} <> '' GROUP BY ALL ORDER BY count(*) DESC, ${column} LIMIT ${MOST_TEXTS}`
  await eachRow(db, commonest, ([text]) => {
    const known = classOf(String(text))
    if (known !== null) rows.push(`(${quoted(String(text))}, ${quoted(known)})`)
  })
  if (rows.length > 0) await db.run(`INSERT INTO ${column}_classes VALUES ${rows.join(', ')}`)
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'

export type DatabaseOptions = { threads: number; memoryMb: number; workDirectory: string }

/** An embedded DuckDB in memory that spills to `workDirectory` past its memory limit. Close it when done. */
export async function openDatabase({
  threads,
  memoryMb,
  workDirectory,
}: DatabaseOptions): Promise<{ db: DuckDBConnection; close: () => void }> {
  const spill = join(workDirectory, 'duckdb-spill')
  mkdirSync(spill, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryMb}MB`,
    temp_directory: spill,
    // No extension is fetched at run time: what is not built in is not used.
    autoinstall_known_extensions: 'false',
  })
  const db = await instance.connect()
  return {
    db,
    close: () => {
      db.closeSync()
      instance.closeSync()
    },
  }
}

/** A text as an SQL literal. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** A name as an SQL identifier. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Calls `visit` for every row, a chunk of 2,048 rows at a time; a row's values are in the order of the SELECT. */
export async function eachRow(db: DuckDBConnection, sql: string, visit: (row: readonly unknown[]) => void): Promise<void> {
  const result = await db.stream(sql)
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    for (const row of chunk.getRows()) visit(row)
  }
}

/** Reads a column's number in a row of the chunk; NULL is 0. */
export type NumberAt = (row: number) => number

/** Calls `visit` for every chunk of at most 2,048 rows, column by column: rows of numbers that never become objects. */
export async function eachChunk(
  db: DuckDBConnection,
  sql: string,
  visit: (columns: readonly NumberAt[], rows: number) => void,
): Promise<void> {
  const result = await db.stream(sql)
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    const columns = Array.from({ length: chunk.columnCount }, (_, i): NumberAt => {
      const vector = chunk.getColumnVector(i)
      return (row) => Number(vector.getItem(row))
    })
    visit(columns, chunk.rowCount)
  }
}

/** The one number a query answers with. */
export async function scalar(db: DuckDBConnection, sql: string): Promise<number> {
  const rows = (await db.runAndReadAll(sql)).getRows()
  return Number(rows[0]?.[0] ?? 0)
}

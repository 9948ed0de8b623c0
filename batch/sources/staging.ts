import { createReadStream, existsSync, statSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { DuckDBConnection } from '@duckdb/node-api'
import { identifier, quoted } from '../engine/database.ts'
import { InputError } from './source.ts'

/**
 * A file as a relation, and what kind of one: a view where columns are read from the file as they are asked for, so that
 * nothing need be copied. `text` is the SQL for a column's value as text: NULL where it is no single value.
 */
export type Staged = { columns: string[]; kind: Kind; text: (column: string) => string }
export type Kind = 'TABLE' | 'VIEW'

type Format = { name: RegExp; kind: Kind; read: (path: string) => string; text: (column: string) => string }

/** The columns of a file whose rows have no numbers of their own. */
const numbered = (reader: string): string => `row_number() OVER () AS nightjar_row, * FROM ${reader}`

/** By the end of the file's name, ".gz" aside. Every value stays what the file says: nothing is guessed about types. */
const FORMATS: Format[] = [
  {
    name: /\.(csv|tsv|txt)$/,
    // Named, not detected: a comma inside quotes may come long after what detection looks at.
    kind: 'TABLE',
    read: (path) =>
      numbered(`read_csv(${path}, header = true, all_varchar = true, parallel = false, quote = '"', escape = '"', comment = '')`),
    text: identifier,
  },
  {
    name: /\.(ndjson|jsonl|json)$/,
    // Depth 1 keeps values as JSON, whatever else their column holds; a key may first appear in the last line.
    kind: 'TABLE',
    read: (path) => numbered(`read_json(${path}, format = 'newline_delimited', maximum_depth = 1, sample_size = -1)`),
    text: (column) => `CASE WHEN json_type(${identifier(column)}) NOT IN ('OBJECT', 'ARRAY') THEN ${identifier(column)} ->> '$' END`,
  },
  {
    name: /\.parquet$/,
    kind: 'VIEW',
    read: (path) => `file_row_number + 1 AS nightjar_row, * EXCLUDE (file_row_number) FROM read_parquet(${path}, file_row_number = true)`,
    text: (column) => `CAST(${identifier(column)} AS VARCHAR)`,
  },
]
const DELIMITERS = [',', ';', '\t', '|']

/**
 * Makes a CSV, NDJSON or Parquet file, gzipped or not, a table or a view, with its row numbers as `nightjar_row`.
 * @throws InputError with one line that says what is wrong with the file
 */
export async function stage(db: DuckDBConnection, file: string, table: string): Promise<Staged> {
  const { read, kind, text } = await formatOf(file)
  try {
    return { columns: await create(db, kind, table, read(pathOf(file))), kind, text }
  } catch (error) {
    throw new InputError(`${file}: ${await faultOf(db, file, error)}`)
  }
}

async function formatOf(file: string): Promise<Format> {
  if (!existsSync(file)) throw new InputError(`${file}: no such file`)
  const stat = statSync(file)
  if (stat.isDirectory()) throw new InputError(`${file}: this is a folder; give the path of a file`)
  if (stat.size === 0) throw new InputError(`${file}: the file is empty`)
  const name = file.toLowerCase()
  const format = FORMATS.find((one) => one.name.test(name.replace(/\.gz$/, '')))
  if (format === undefined)
    throw new InputError(`${file}: the name must end in .csv, .tsv, .ndjson, .jsonl or .parquet, with .gz or without`)
  if (name.endsWith('.gz')) await checkGzip(file)
  return format
}

/** DuckDB takes the rows before the end of a file that was cut short for all there are. */
async function checkGzip(file: string): Promise<void> {
  try {
    await pipeline(createReadStream(file), createGunzip(), new Writable({ write: (_chunk, _encoding, done) => done() }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new InputError(`${file}: damaged or cut short (${reason}); get the file again`)
  }
}

/** A path is a pattern to DuckDB. */
const pathOf = (file: string): string => quoted(file.replace(/[[*?]/g, '[$&]'))

async function create(db: DuckDBConnection, kind: Kind, table: string, selected: string): Promise<string[]> {
  await db.run(`CREATE OR REPLACE TEMP ${kind} ${table} AS SELECT ${selected}`)
  const names = await db.runAndReadAll(`SELECT column_name FROM duckdb_columns() WHERE table_name = ${quoted(table)} ORDER BY column_index`)
  const columns = names
    .getRows()
    .map((row) => String(row[0]))
    .filter((name) => name !== 'nightjar_row')
  const [only] = columns
  if (columns.length === 1 && DELIMITERS.some((delimiter) => only.includes(delimiter))) throw new Error('lines of different lengths')
  return columns
}

/** What is wrong with a file that could not be read, in one line. */
async function faultOf(db: DuckDBConnection, file: string, error: unknown): Promise<string> {
  const messages = [error, await strictFault(db, file)].map((one) => (one instanceof Error ? one.message : ''))
  const message = messages.find((one) => one.includes('CSV Error on Line')) ?? messages[0]
  const malformed = /Malformed JSON.* in line (\d+): ([^\n]*)/.exec(message)
  // This version of DuckDB counts one too many.
  if (malformed !== null) return `line ${Number(malformed[1]) - 1} is no JSON (${malformed[2].trim().replace(/\.$/, '')})`
  const line = /CSV Error on Line: (\d+)/.exec(message)?.[1]
  if (line === undefined) return `cannot be read: ${message.split('\n')[0].trim()}`
  if (/not utf-8/.test(message)) return `line ${line} is not UTF-8; convert the file first: iconv -f WINDOWS-1252 -t UTF-8`
  const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(message)
  if (columns !== null)
    return `line ${line} has ${columns[2]} fields where the header has ${columns[1]}; is a quote or a delimiter missing?`
  const reason = message.split('\n').find((text, i) => i > 0 && text !== '' && !text.startsWith('Original Line'))
  return `line ${line} cannot be read: ${reason?.trim() ?? 'it is no CSV'}`
}

/** Detection that fails names no line; reading by the header's delimiter does. @returns the error of that, if it is a CSV */
async function strictFault(db: DuckDBConnection, file: string): Promise<unknown> {
  if (!FORMATS[0].name.test(file.toLowerCase().replace(/\.gz$/, ''))) return undefined
  const whole = `auto_detect = false, quote = '', escape = '', delim = '\u0001', header = false, columns = {line: 'VARCHAR'}`
  try {
    const rows = await db.runAndReadAll(`SELECT line FROM read_csv(${pathOf(file)}, ${whole}) LIMIT 1`)
    const header = String(rows.getRows()[0]?.[0] ?? '')
    const count = (delimiter: string): number => header.split(delimiter).length
    const delimiter = DELIMITERS.reduce((most, one) => (count(one) > count(most) ? one : most))
    const columns = Array.from({ length: count(delimiter) }, (_, i) => `c${i}: 'VARCHAR'`).join(', ')
    const strict = `auto_detect = false, header = true, quote = '"', escape = '"', delim = ${quoted(delimiter)}, columns = {${columns}}`
    await db.run(`CREATE OR REPLACE TEMP TABLE strictly_read AS SELECT * FROM read_csv(${pathOf(file)}, ${strict}, parallel = false)`)
    return undefined
  } catch (error) {
    return error
  }
}

import { existsSync, readFileSync, statSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import * as v from 'valibot'
import { identifier, quoted } from '../engine/database.ts'
import { countryCode } from './country-codes.ts'
import { InputError, type Source } from './source.ts'

const column = v.optional(v.string())
const MappingSchema = v.strictObject({
  events: v.optional(
    v.strictObject({
      visitor: column,
      item: column,
      at: column,
      kind: column,
      session: column,
      country: column,
      quantity: column,
      price: column,
      id: column,
      /** What a value of the kind column means: {"view": "item_view"}; a kind that is not listed stands for itself. */
      kinds: v.optional(v.record(v.string(), v.picklist(['item_view', 'click', 'add_to_cart', 'purchase']))),
      /** The kind of every row where there is no kind column. */
      defaultKind: v.optional(v.picklist(['item_view', 'click', 'add_to_cart', 'purchase'])),
      /** strptime format of the time column; else ISO 8601, Unix seconds or Unix milliseconds are told apart. */
      timeFormat: v.optional(v.string()),
    }),
    {},
  ),
  items: v.optional(
    v.strictObject({
      item: column,
      title: column,
      category: column,
      price: column,
      url: column,
      image: column,
      available: column,
      firstSeen: column,
      properties: v.optional(v.array(v.string())),
    }),
    {},
  ),
})
type Mapping = v.InferOutput<typeof MappingSchema>

/** Names under which a column is found without a mapping. */
const USUAL: Record<string, readonly string[]> = {
  visitor: ['visitor', 'visitor_id', 'user', 'user_id', 'customer', 'customer_id', 'customerid'],
  item: ['item', 'item_id', 'product', 'product_id', 'sku', 'stockcode', 'article_id'],
  at: ['at', 'time', 'timestamp', 'date', 'datetime', 'created_at', 'event_time', 'invoicedate'],
  kind: ['kind', 'type', 'event', 'event_type'],
  session: ['session', 'session_id', 'order', 'order_id', 'basket', 'invoice', 'invoiceno'],
  country: ['country', 'country_code', 'region'],
  quantity: ['quantity', 'qty'],
  price: ['price', 'unitprice', 'unit_price', 'amount'],
  id: ['event_id'],
  title: ['title', 'name', 'description', 'product_name'],
  category: ['category', 'category_name', 'genre', 'section'],
  url: ['url', 'link'],
  image: ['image', 'image_url', 'picture'],
  available: ['available', 'in_stock', 'availability'],
  firstSeen: ['first_seen', 'published_at', 'released_at'],
}

export type FileOptions = { events?: string; items?: string; mapping?: string }

/** Events and items from CSV, TSV, NDJSON or Parquet files, gzipped or not, under the mapping's column names. */
export function files({ events, items, mapping }: FileOptions): Source {
  if (events === undefined) throw new InputError('--source csv needs --events FILE; --items FILE adds titles, categories and prices')
  return {
    name: 'csv',
    async load(db) {
      const chosen = readMapping(mapping)
      await loadEvents(db, events, chosen.events)
      if (items !== undefined) await loadItems(db, items, chosen.items)
    },
  }
}

function readMapping(file: string | undefined): Mapping {
  if (file === undefined) return { events: {}, items: {} }
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(
      `${file}: ${error instanceof SyntaxError ? `not JSON (${error.message})` : 'cannot be read; give the path of the mapping file'}`,
    )
  }
  const parsed = v.safeParse(MappingSchema, json)
  if (!parsed.success)
    throw new InputError(
      `${file}: ${v.getDotPath(parsed.issues[0]) ?? 'the file'}: ${parsed.issues[0].message}; docs/data.md shows a mapping`,
    )
  return parsed.output
}

/** The reader for a file, by its name. */
function readerOf(file: string): string {
  if (!existsSync(file)) throw new InputError(`${file}: no such file`)
  if (statSync(file).size === 0) throw new InputError(`${file}: the file is empty`)
  const name = file.toLowerCase().replace(/\.gz$/, '')
  if (name.endsWith('.parquet')) return `read_parquet(${quoted(file)})`
  if (/\.(ndjson|jsonl|json)$/.test(name)) return `read_json(${quoted(file)}, format = 'newline_delimited')`
  if (/\.(csv|tsv|txt)$/.test(name)) return `read_csv(${quoted(file)}, header = true, all_varchar = true, parallel = false)`
  throw new InputError(`${file}: the name must end in .csv, .tsv, .ndjson, .jsonl or .parquet, with .gz or without`)
}

/** Copies the file into a table with row numbers. @returns its column names */
async function stage(db: DuckDBConnection, file: string, table: string): Promise<string[]> {
  const reader = readerOf(file)
  try {
    await db.run(`CREATE OR REPLACE TEMP TABLE ${table} AS SELECT row_number() OVER () AS nightjar_row, * FROM ${reader}`)
  } catch (error) {
    throw new InputError(`${file}: cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
  }
  const rows = (
    await db.runAndReadAll(`SELECT column_name FROM duckdb_columns() WHERE table_name = ${quoted(table)} ORDER BY column_index`)
  ).getRows()
  return rows.map((row) => String(row[0])).filter((name) => name !== 'nightjar_row')
}

/** The SQL for a field: the mapped column, else one of the usual names, else NULL. @throws InputError for a column that is not there */
function fieldOf(file: string, columns: readonly string[], field: string, mapped: string | undefined, required: boolean): string {
  if (mapped !== undefined) {
    if (!columns.includes(mapped))
      throw new InputError(`${file}: the mapping says "${field}" is column "${mapped}", but the columns are ${columns.join(', ')}`)
    return identifier(mapped)
  }
  const found = columns.find((name) => USUAL[field]?.includes(name.toLowerCase()))
  if (found !== undefined) return identifier(found)
  if (required)
    throw new InputError(
      `${file}: no column for "${field}"; name it in a mapping file, {"events": {"${field}": "your column"}} (columns: ${columns.join(', ')})`,
    )
  return 'NULL'
}

async function loadEvents(db: DuckDBConnection, file: string, mapping: Mapping['events']): Promise<void> {
  const columns = await stage(db, file, 'staged_events')
  const field = (
    name: 'visitor' | 'item' | 'at' | 'kind' | 'session' | 'country' | 'quantity' | 'price' | 'id',
    required = false,
  ): string => fieldOf(file, columns, name, mapping[name], required)
  const kind = kindSql(field('kind'), mapping)
  await db.run(`
    CREATE OR REPLACE TEMP TABLE mapped_events AS
    SELECT nightjar_row AS seq, CAST(${field('id')} AS VARCHAR) AS id, CAST(${field('visitor', true)} AS VARCHAR) AS visitor, CAST(${field('item', true)} AS VARCHAR) AS item,
           ${timeSql(field('at', true), mapping.timeFormat)} AS at_s, ${kind} AS kind, CAST(${field('session')} AS VARCHAR) AS session,
           CAST(${field('country')} AS VARCHAR) AS country, TRY_CAST(${field('quantity')} AS DOUBLE) AS quantity, TRY_CAST(${field('price')} AS DOUBLE) AS price
    FROM staged_events`)
  const times = (await db.runAndReadAll('SELECT count(*), count(at_s) FROM mapped_events')).getRows()[0].map(Number)
  if (times[0] === 0) throw new InputError(`${file}: no rows`)
  if (times[1] === 0)
    throw new InputError(
      `${file}: no row has a readable time; give its format in the mapping, {"events": {"timeFormat": "%d/%m/%Y %H:%M"}}`,
    )
  await mapCountryNames(db)
  await db.run(`
    INSERT INTO raw_events
    SELECT seq, id, visitor, false, item, at_s, kind, session, code, quantity, price FROM mapped_events LEFT JOIN country_names USING (country)`)
}

/** The kind of a row: what its value is mapped to, else the default, else the value itself. */
function kindSql(column: string, { kinds = {}, defaultKind }: Mapping['events']): string {
  if (column === 'NULL') return quoted(defaultKind ?? 'item_view')
  const value = `CAST(${column} AS VARCHAR)`
  const cases = Object.entries(kinds).map(([from, to]) => `WHEN ${value} = ${quoted(from)} THEN ${quoted(to)} `)
  return `CASE ${cases.join('')}WHEN true THEN ${defaultKind === undefined ? value : quoted(defaultKind)} END`
}

/** Unix seconds from a format, or from ISO 8601, seconds or milliseconds by their size. */
function timeSql(column: string, format: string | undefined): string {
  const text = `CAST(${column} AS VARCHAR)`
  if (format !== undefined) return `CAST(epoch(TRY_STRPTIME(${text}, ${quoted(format)})) AS BIGINT)`
  const number = `TRY_CAST(${text} AS DOUBLE)`
  return `CASE WHEN ${number} IS NULL THEN CAST(epoch(TRY_CAST(${text} AS TIMESTAMP)) AS BIGINT) WHEN ${number} > 1e11 THEN CAST(${number} / 1000 AS BIGINT) ELSE CAST(${number} AS BIGINT) END`
}

async function mapCountryNames(db: DuckDBConnection): Promise<void> {
  const names = (
    await db.runAndReadAll('SELECT DISTINCT country FROM mapped_events WHERE country IS NOT NULL ORDER BY country LIMIT 10000')
  )
    .getRows()
    .map((row) => String(row[0]))
  await db.run('CREATE OR REPLACE TEMP TABLE country_names (country VARCHAR, code VARCHAR)')
  const rows = names.flatMap((name) => {
    const code = countryCode(name)
    return code === null ? [] : [`(${quoted(name)}, ${quoted(code)})`]
  })
  if (rows.length > 0) await db.run(`INSERT INTO country_names VALUES ${rows.join(', ')}`)
}

async function loadItems(db: DuckDBConnection, file: string, mapping: Mapping['items']): Promise<void> {
  const columns = await stage(db, file, 'staged_items')
  const field = (name: 'item' | 'title' | 'category' | 'price' | 'url' | 'image' | 'available' | 'firstSeen', required = false): string =>
    fieldOf(file, columns, name, mapping[name], required)
  const further = (mapping.properties ?? []).map((name) => {
    if (!columns.includes(name))
      throw new InputError(`${file}: the mapping shows property "${name}", but the columns are ${columns.join(', ')}`)
    return `${quoted(name)}, ${identifier(name)}`
  })
  const text = (name: Parameters<typeof field>[0]): string => `nullif(CAST(${field(name)} AS VARCHAR), '')`
  await db.run(`
    INSERT INTO raw_items
    SELECT CAST(${field('item', true)} AS VARCHAR), ${text('title')}, ${text('category')}, TRY_CAST(${field('price')} AS DOUBLE), ${text('url')}, ${text('image')},
           coalesce(TRY_CAST(${field('available')} AS BOOLEAN), true), ${timeSql(field('firstSeen'), undefined)},
           ${further.length > 0 ? `CAST(json_object(${further.join(', ')}) AS VARCHAR)` : 'NULL'}
    FROM staged_items`)
}

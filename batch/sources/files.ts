import { readFileSync } from 'node:fs'
import type { DuckDBConnection } from '@duckdb/node-api'
import * as v from 'valibot'
import { deviceClass, deviceClasses, hostOf, referrerClass, referrerClasses } from '../../shared/ranking/visit-context.ts'
import { identifier, quoted } from '../engine/database.ts'
import { firstIssue } from '../first-issue.ts'
import { classify } from './classes.ts'
import { countryCode } from './country-codes.ts'
import { InputError, type Source } from './source.ts'
import { type Staged, stage } from './staging.ts'

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
      /** A number above 0 that says how much the visitor made of it. */
      weight: column,
      device: column,
      referrer: column,
      id: column,
      /** What a value of the kind column means: {"view": "item_view"}; a kind that is not listed stands for itself. */
      kinds: v.optional(v.record(v.string(), v.picklist(['item_view', 'click', 'add_to_cart', 'purchase']))),
      /** The kind of every row where there is no kind column. */
      defaultKind: v.optional(v.picklist(['item_view', 'click', 'add_to_cart', 'purchase'])),
      /** strptime format of the time column; else ISO 8601, Unix seconds or Unix milliseconds are told apart. */
      timeFormat: v.optional(v.string()),
      /** There are no times: the order of rows stands for them. */
      order: v.optional(v.literal('file')),
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
  price: ['price', 'unitprice', 'unit_price', 'amount'],
  device: ['device', 'device_type', 'user_agent'],
  referrer: ['referrer', 'referer'],
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
      await readable(events, () => loadEvents(db, events, chosen.events))
      if (items !== undefined) await readable(items, () => loadItems(db, items, chosen.items))
    },
  }
}

/** A file that is read as its columns are asked for shows only then that it is damaged. */
async function readable(file: string, load: () => Promise<void>): Promise<void> {
  try {
    await load()
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${file}: cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`)
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
  if (!parsed.success) throw new InputError(`${file}: ${firstIssue(parsed.issues)}; docs/data.md shows a mapping`)
  return parsed.output
}

/** Which of a mapping's two parts a file goes by. */
type Part = keyof Mapping

/** The text of a field that the file does not have. */
const NOTHING = 'CAST(NULL AS VARCHAR)'

/**
 * The SQL for a field's text: the mapped column, else one of the usual names, else NULL.
 * @throws InputError for a column that is not there
 */
function fieldOf(file: string, part: Part, staged: Staged, field: string, mapped: string | undefined, required: boolean): string {
  const { columns, text } = staged
  if (mapped !== undefined) {
    if (!columns.includes(mapped))
      throw new InputError(`${file}: the mapping says "${field}" is column "${mapped}", but the columns are ${columns.join(', ')}`)
    return text(mapped)
  }
  const found = columns.find((name) => USUAL[field]?.includes(name.toLowerCase()))
  if (found !== undefined) return text(found)
  if (required)
    throw new InputError(
      `${file}: no column for "${field}"; name it in a mapping file, {"${part}": {"${field}": "your column"}}${
        field === 'at' ? ', or say {"events": {"order": "file"}} where rows only have an order' : ''
      } (columns: ${columns.join(', ')})`,
    )
  return NOTHING
}

async function loadEvents(db: DuckDBConnection, file: string, mapping: Mapping['events']): Promise<void> {
  const staged = await stage(db, file, 'staged_events')
  const field = (
    name: 'visitor' | 'item' | 'at' | 'kind' | 'session' | 'country' | 'weight' | 'device' | 'referrer' | 'id',
    required = false,
  ): string => fieldOf(file, 'events', staged, name, mapping[name], required)
  if (mapping.order !== undefined && mapping.at !== undefined)
    throw new InputError(`${file}: the mapping says both "at" and "order": rows go by their times or by their order`)
  const kind = kindSql(field('kind'), mapping)
  await db.run(`
    CREATE OR REPLACE TEMP ${staged.kind} mapped_events AS
    SELECT nightjar_row AS seq, ${field('id')} AS id, ${field('visitor', true)} AS visitor, ${field('item', true)} AS item,
           ${mapping.order === 'file' ? ORDER_SQL : timeSql(field('at', true), mapping.timeFormat)} AS at_s, ${kind} AS kind, ${field('session')} AS session,
           ${field('country')} AS country, ${numberSql(field('weight'))} AS weight,
           ${field('device')} AS device, ${field('referrer')} AS referrer
    FROM staged_events`)
  const times = (await db.runAndReadAll('SELECT count(*), count(at_s) FROM mapped_events')).getRows()[0].map(Number)
  if (times[0] === 0) throw new InputError(`${file}: no rows`)
  if (times[1] === 0)
    throw new InputError(
      `${file}: no row has a readable time; give its format in the mapping, {"events": {"timeFormat": "%d/%m/%Y %H:%M"}}`,
    )
  await classify(db, 'mapped_events', 'country', countryCode)
  await classify(db, 'mapped_events', 'device', (text) => oneOf(deviceClasses, text) ?? deviceClass(null, text))
  await classify(
    db,
    'mapped_events',
    'referrer',
    (text) => oneOf(referrerClasses, text) ?? (hostOf(text) === null ? null : referrerClass(text)),
  )
  await db.run(`
    INSERT INTO raw_events
    SELECT seq, id, visitor, false, item, at_s, kind, session, country_classes.class, weight, device_classes.class, referrer_classes.class
    FROM mapped_events LEFT JOIN country_classes USING (country) LEFT JOIN device_classes USING (device)
    LEFT JOIN referrer_classes USING (referrer);
    DROP ${staged.kind} mapped_events;
    DROP ${staged.kind} staged_events`)
}

/** The kind of a row: what its value is mapped to, else the default, else the value itself. */
function kindSql(column: string, { kinds = {}, defaultKind }: Mapping['events']): string {
  if (column === NOTHING) return quoted(defaultKind ?? 'item_view')
  const cases = Object.entries(kinds).map(([from, to]) => `WHEN ${column} = ${quoted(from)} THEN ${quoted(to)} `)
  return `CASE ${cases.join('')}WHEN true THEN ${defaultKind === undefined ? column : quoted(defaultKind)} END`
}

/** A finite number, NULL for any other text: "nan" and "inf" are numbers to SQL. */
function numberSql(column: string): string {
  const number = `TRY_CAST(${column} AS DOUBLE)`
  return `CASE WHEN isfinite(${number}) THEN ${number} END`
}

/** Rows without times are spread evenly over as long as a shop's recent past, so that "lately" means something. */
const ORDER_SECONDS = 60 * 86_400
/** 2020-01-01: any day would do, and the same file has to give the same release. */
const ORDER_END = 1_577_836_800
const ORDER_SQL = `${ORDER_END - ORDER_SECONDS} + (nightjar_row - 1) * ${ORDER_SECONDS} // (SELECT count(*) FROM staged_events)`

/** Unix seconds from a format, or from ISO 8601, seconds or milliseconds by their size; NULL for any other text. */
function timeSql(column: string, format: string | undefined): string {
  const number = `TRY_CAST(${column} AS DOUBLE)`
  const moment = format === undefined ? `TRY_CAST(${column} AS TIMESTAMP)` : `TRY_STRPTIME(${column}, ${quoted(format)})`
  const seconds = `TRY_CAST(epoch(${moment}) AS BIGINT)`
  if (format !== undefined) return seconds
  return `CASE WHEN ${number} IS NULL THEN ${seconds} WHEN ${number} > 1e11 THEN TRY_CAST(${number} / 1000 AS BIGINT) ELSE TRY_CAST(${number} AS BIGINT) END`
}

const oneOf = <T extends string>(classes: readonly T[], text: string): T | null =>
  classes.find((name) => name === text.toLowerCase()) ?? null

async function loadItems(db: DuckDBConnection, file: string, mapping: Mapping['items']): Promise<void> {
  const staged = await stage(db, file, 'staged_items')
  const field = (name: 'item' | 'title' | 'category' | 'price' | 'url' | 'image' | 'available' | 'firstSeen', required = false): string =>
    fieldOf(file, 'items', staged, name, mapping[name], required)
  const further = (mapping.properties ?? []).map((name) => {
    if (!staged.columns.includes(name))
      throw new InputError(`${file}: the mapping shows property "${name}", but the columns are ${staged.columns.join(', ')}`)
    return `${quoted(name)}, ${identifier(name)}`
  })
  const text = (name: Parameters<typeof field>[0]): string => `nullif(${field(name)}, '')`
  await db.run(`
    INSERT INTO raw_items
    SELECT ${field('item', true)}, ${text('title')}, ${text('category')}, ${numberSql(field('price'))}, ${text('url')}, ${text('image')},
           coalesce(TRY_CAST(${field('available')} AS BOOLEAN), true), ${timeSql(field('firstSeen'), undefined)},
           ${further.length > 0 ? `CAST(json_object(${further.join(', ')}) AS VARCHAR)` : 'NULL'}
    FROM staged_items`)
}

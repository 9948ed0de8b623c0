import { createHash } from 'node:crypto'
import { totalmem } from 'node:os'
import type { DuckDBConnection } from '@duckdb/node-api'
import { deviceClasses, referrerClasses } from '../shared/ranking/visit-context.ts'
import type { ItemValues } from '../shared/schemas/recommendations.ts'
import { clean, EARLIEST, LATEST } from './clean.ts'
import { type CatalogueItem, type Dataset, type Deeds, type Impressions, NOBODY, WHOLE } from './dataset.ts'
import { eachChunk, eachRow, openDatabase, quoted, scalar } from './engine/database.ts'
import { applyItemChanges } from './sources/item-changes.ts'
import type { Source } from './sources/source.ts'
import { CREATE_TABLES } from './sources/tables.ts'

export type IngestOptions = {
  threads: number
  workDirectory: string
  memoryMb?: number
  /** Unix seconds: deeds and impressions before, or from then on, are left out. */
  from?: number
  to?: number
  /** False learns from all that the edge's visitors did, however fast; only to show what the limits are for. */
  humanPace?: boolean
  /** How many rows, about, are compared with one another at once to find those that were sent twice or too fast. */
  rowsAPass?: number
}

/** A visit ends after this long without a deed. */
const VISIT_PAUSE_SECONDS = 30 * 60
/** A session's name matters only beside the one before it, which 53 bits of its hash tell; this is the hash of none. */
const NAMELESS = -1
/** What the engine holds before it writes to disk, which takes longer: all of five million events, on a machine that has as much. */
const usualMemoryMb = (): number => Math.max(512, Math.min(1536, Math.floor(totalmem() / 2 ** 20 / 8)))

/**
 * Loads the sources, cleans them in SQL and brings them into memory as columns. Row order, sums and dictionaries are
 * total orders and integers, so the result does not depend on the number of threads. When several sources are given,
 * the first one's catalogue decides which items exist.
 */
export async function ingest(sources: readonly Source[], options: IngestOptions): Promise<Dataset> {
  const { db, close } = await openDatabase({
    threads: options.threads,
    memoryMb: options.memoryMb ?? usualMemoryMb(),
    workDirectory: options.workDirectory,
  })
  try {
    await db.run(CREATE_TABLES)
    await db.run('CREATE TABLE catalogue AS SELECT * FROM raw_items')
    for (const [i, source] of sources.entries()) {
      await db.run('CREATE OR REPLACE TABLE before AS SELECT coalesce(max(seq), 0) AS seq FROM raw_events')
      await source.load(db)
      if (i === 0) await db.run('INSERT INTO catalogue SELECT * FROM raw_items')
    }
    await applyItemChanges(db)
    const dropped = await clean(db, sources.length > 1, options)
    return await readDataset(db, sources.map((source) => source.name).join('+'), dropped, options)
  } finally {
    close()
  }
}

async function readDataset(
  db: DuckDBConnection,
  source: string,
  dropped: Record<string, number>,
  options: IngestOptions,
): Promise<Dataset> {
  await dictionaries(db)
  const items = await readItems(db)
  const visitors: string[] = []
  const pseudonymous: number[] = []
  await eachRow(db, 'SELECT visitor, pseudonymous FROM visitor_index ORDER BY index', ([visitor, edge]) => {
    visitors.push(String(visitor))
    pseudonymous.push(edge === true ? 1 : 0)
  })
  const countries: string[] = []
  await eachRow(db, 'SELECT country FROM country_index ORDER BY index', ([country]) => countries.push(String(country)))
  const erased: string[] = []
  await eachRow(db, 'SELECT DISTINCT visitor FROM raw_erased ORDER BY visitor', ([visitor]) => erased.push(String(visitor)))
  const deeds = await readDeeds(db)
  const catalogueAt = await scalar(db, 'SELECT coalesce(max(received), 0) FROM raw_item_changes')
  const times = deeds.at.subarray(0, deeds.count)
  const dataset = {
    source,
    items,
    visitors,
    pseudonymous: Uint8Array.from(pseudonymous),
    countries,
    deeds,
    impressions: await readImpressions(db, options),
    from: times.reduce((least, at) => Math.min(least, at), deeds.count > 0 ? LATEST : 0),
    to: times.reduce((most, at) => Math.max(most, at), 0),
    erased,
    dropped,
    ...(catalogueAt > 0 && { catalogueAt }),
  }
  return { ...dataset, fingerprint: fingerprint(dataset) }
}

/** Indices in ascending order of the ids' bytes: VARCHAR compares by bytes under DuckDB's default (binary) collation. */
async function dictionaries(db: DuckDBConnection): Promise<void> {
  await db.run(`
    CREATE TABLE item_index AS
    SELECT item, row_number() OVER (ORDER BY item) - 1 AS index
    FROM (SELECT item FROM deeds UNION SELECT item FROM catalogue WHERE item IS NOT NULL AND item <> '' AND octet_length(encode(item)) <= 200);
    CREATE TABLE visitor_index AS
    SELECT visitor, pseudonymous, row_number() OVER (ORDER BY visitor, pseudonymous) - 1 AS index FROM (SELECT DISTINCT visitor, pseudonymous FROM deeds);
    CREATE TABLE country_index AS
    SELECT country, row_number() OVER (ORDER BY country) - 1 AS index
    FROM (SELECT DISTINCT country FROM (SELECT coalesce(country, '') AS country FROM deeds UNION ALL SELECT '') ORDER BY country LIMIT 256)`)
}

/** 1 + the position of the column's value among the classes, 0 for any other. */
const classIndex = (column: string, classes: readonly string[]): string =>
  `coalesce(list_position([${classes.map(quoted).join(', ')}], ${column}), 0)`

async function readItems(db: DuckDBConnection): Promise<CatalogueItem[]> {
  const items: CatalogueItem[] = []
  await eachRow(
    db,
    `WITH touched AS (SELECT item, min(at_s) AS first_at FROM deeds GROUP BY item),
          described AS (SELECT * FROM catalogue QUALIFY row_number() OVER (PARTITION BY item ORDER BY title, category, price, url) = 1)
     SELECT item_index.item, title, category, price, url, image, coalesce(available, true), coalesce(least(first_seen, first_at), 0), properties
     FROM item_index LEFT JOIN described USING (item) LEFT JOIN touched USING (item) ORDER BY index`,
    ([id, title, category, price, url, image, available, firstSeen, properties]) => {
      const values: ItemValues = { ...propertiesOf(properties) }
      if (typeof title === 'string') values.title = title
      if (typeof category === 'string') values.category = category
      if (typeof price === 'number') values.price = price
      if (typeof url === 'string') values.url = url
      if (typeof image === 'string') values.image = image
      items.push({
        id: String(id),
        values,
        category: typeof category === 'string' ? category : '',
        // Packs hold 32-bit floats: what is no number there is no price.
        price: typeof price === 'number' && price > 0 && Number.isFinite(Math.fround(price)) ? price : 0,
        available: available === true,
        firstSeen: Number(firstSeen),
      })
    },
  )
  return items
}

/** Further values to show: a flat JSON object, else nothing. */
function propertiesOf(json: unknown): ItemValues {
  if (typeof json !== 'string') return {}
  try {
    const value: unknown = JSON.parse(json)
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return {}
    return Object.fromEntries(
      Object.entries(value).filter(
        ([, inner]) =>
          ['string', 'number', 'boolean'].includes(typeof inner) ||
          (Array.isArray(inner) && inner.every((part) => typeof part === 'string')),
      ),
    )
  } catch {
    return {}
  }
}

/** The weight from which on a deed counts whole: what few exceed; the largest would be an outlier's. */
const FULL_QUANTILE = 0.95

/** 1 … WHOLE, by the logarithm: the second play, star or piece says more than the tenth. @param full what counts whole */
const weightSql = (full: number): string =>
  full > 0 ? `coalesce(greatest(1, round(${WHOLE} * least(1, ln(1 + weight) / ln(1 + ${full})))), ${WHOLE})` : String(WHOLE)

async function readDeeds(db: DuckDBConnection): Promise<Deeds> {
  const count = await scalar(db, 'SELECT count(*) FROM deeds')
  const full = await scalar(db, `SELECT coalesce(quantile_disc(weight, ${FULL_QUANTILE}), 0) FROM deeds`)
  const deeds: Deeds = {
    count,
    visitor: new Uint32Array(count),
    item: new Uint32Array(count),
    at: new Uint32Array(count),
    deed: new Uint8Array(count),
    session: new Uint32Array(count),
    weight: new Uint8Array(count),
    country: new Uint8Array(count),
    device: new Uint8Array(count),
    referrer: new Uint8Array(count),
  }
  let k = 0
  let session = -1
  let before = NAMELESS
  const filled = [deeds.visitor, deeds.item, deeds.at, deeds.deed, deeds.weight, deeds.country, deeds.device, deeds.referrer]
  await eachChunk(
    db,
    `SELECT CAST(v.index AS UINTEGER), CAST(i.index AS UINTEGER), CAST(at_s AS UINTEGER),
            CAST(CASE kind WHEN 'purchase' THEN 2 WHEN 'add_to_cart' THEN 1 ELSE 0 END AS UTINYINT),
            CAST(${weightSql(full)} AS UTINYINT), CAST(coalesce(c.index, 0) AS UTINYINT),
            CAST(${classIndex('device', deviceClasses)} AS UTINYINT), CAST(${classIndex('referrer', referrerClasses)} AS UTINYINT),
            CASE WHEN session IS NULL THEN ${NAMELESS} ELSE CAST(hash(session) >> 11 AS DOUBLE) END
     FROM deeds JOIN visitor_index v USING (visitor, pseudonymous) JOIN item_index i USING (item)
     LEFT JOIN country_index c ON c.country = coalesce(deeds.country, '')
     ORDER BY v.index, at_s, seq`,
    (columns, rows) => {
      filled.forEach((into, column) => {
        const valueAt = columns[column]
        for (let row = 0; row < rows; row++) into[k + row] = valueAt(row)
      })
      const nameAt = columns[filled.length]
      for (let row = 0; row < rows; row++, k++) {
        const name = nameAt(row)
        const first = k === 0 || deeds.visitor[k] !== deeds.visitor[k - 1]
        const paused = name === NAMELESS && !first && deeds.at[k] - deeds.at[k - 1] > VISIT_PAUSE_SECONDS
        if (first || name !== before || paused) session++
        before = name
        deeds.session[k] = session
      }
    },
  )
  return deeds
}

/** Of items that are known; visitors without a deed count as NOBODY. */
async function readImpressions(db: DuckDBConnection, { from = EARLIEST, to = LATEST }: IngestOptions): Promise<Impressions> {
  await db.run(`
    CREATE TABLE shown AS
    SELECT coalesce(v.index, ${NOBODY}) AS visitor, i.index AS item, position, dense_rank() OVER (ORDER BY list) - 1 AS list, at_s,
           coalesce(clicked_at_s, 0) AS clicked_at_s
    FROM raw_impressions r JOIN item_index i USING (item) LEFT JOIN visitor_index v ON v.visitor = r.visitor AND v.pseudonymous
    WHERE at_s >= ${from} AND at_s < ${to} AND position BETWEEN 1 AND 100`)
  const count = await scalar(db, 'SELECT count(*) FROM shown')
  const impressions: Impressions = {
    count,
    visitor: new Uint32Array(count),
    item: new Uint32Array(count),
    position: new Uint8Array(count),
    list: new Uint32Array(count),
    at: new Uint32Array(count),
    clickedAt: new Uint32Array(count),
  }
  let k = 0
  await eachRow(
    db,
    'SELECT visitor, item, position, list, at_s, clicked_at_s FROM shown ORDER BY at_s, list, position, visitor',
    ([visitor, item, position, list, at, clickedAt]) => {
      impressions.visitor[k] = Number(visitor)
      impressions.item[k] = Number(item)
      impressions.position[k] = Number(position)
      impressions.list[k] = Number(list)
      impressions.at[k] = Number(at)
      impressions.clickedAt[k++] = Number(clickedAt)
    },
  )
  return impressions
}

function fingerprint(dataset: Omit<Dataset, 'fingerprint'>): string {
  const hash = createHash('sha256')
  const { deeds, impressions } = dataset
  for (const column of [
    deeds.visitor,
    deeds.item,
    deeds.at,
    deeds.deed,
    deeds.session,
    deeds.weight,
    deeds.country,
    deeds.device,
    deeds.referrer,
    dataset.pseudonymous,
  ])
    hash.update(column)
  for (const column of [
    impressions.visitor,
    impressions.item,
    impressions.position,
    impressions.list,
    impressions.at,
    impressions.clickedAt,
  ])
    hash.update(column)
  hash.update(JSON.stringify([dataset.source, dataset.items, dataset.visitors, dataset.countries, dataset.erased]))
  return hash.digest('hex').slice(0, 32)
}

import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase, quoted } from '../engine/database.ts'

export type HistorySize = { events: number; visitors: number; items: number }

/** Parquet files, as `nightly --source csv` takes them. */
export type HistoryFiles = { events: string; items: string }

/** Part of the files' names: what was made under another one is not taken for this. */
const VERSION = 1
/** How many things visitors may have a liking for, at most; each taste has its own items, about so many at least. */
const MOST_TASTES = 200
const ITEMS_A_TASTE = 500
/** The share of deeds that follow the taste of the visit; the others are for whatever is popular. */
const OF_TASTE = 0.7
const VISITS = 8
const DAYS = 120
/** Unix seconds: the histories end here, whenever they are made. */
const END = 1_790_000_000
const COUNTRIES = ['GB', 'DE', 'FR', 'US', 'ES', 'IT', 'NL', 'SE', 'PL', 'JP', 'BR', 'CA']

/**
 * Made-up histories in `folder`, made once for each size: items by Zipf's law within a visit's taste and over all, a few
 * busy visitors and many with some dozen deeds, visits over four months. Everything follows from the number of the row,
 * by a hash, so that the same size is always the same file.
 */
export async function madeHistories(folder: string, { events, visitors, items }: HistorySize): Promise<HistoryFiles> {
  mkdirSync(folder, { recursive: true })
  const tastes = Math.max(1, Math.min(MOST_TASTES, Math.round(items / ITEMS_A_TASTE)))
  const files = {
    events: join(folder, `events-v${VERSION}-${events}-${visitors}-${items}.parquet`),
    items: join(folder, `items-v${VERSION}-${items}.parquet`),
  }
  if (existsSync(files.events) && existsSync(files.items)) return files
  const { db, close } = await openDatabase({ threads: 2, memoryMb: 1024, workDirectory: folder })
  try {
    const made = async (file: string, sql: string): Promise<void> => {
      await db.run(`COPY (${sql}) TO ${quoted(`${file}.part`)} (FORMAT parquet)`)
      renameSync(`${file}.part`, file)
    }
    await made(
      files.items,
      `SELECT ${itemId('i')} AS item, 'Thing ' || i || ' of kind ' || i % ${tastes} AS title, 'kind ' || i % ${tastes} AS category,
              round(1 + 99 * ${draw('i', 9)}, 2) AS price
       FROM range(${items}) rows(i)`,
    )
    await made(
      files.events,
      `WITH drawn AS (
         SELECT i, CAST(floor(${visitors} * pow(${draw('i', 1)}, 1.5)) AS BIGINT) AS v, CAST(floor(${VISITS} * ${draw('i', 2)}) AS BIGINT) AS visit
         FROM range(${events}) rows(i)),
       visits AS (SELECT *, v * ${VISITS} + visit AS id FROM drawn)
       SELECT 'v' || lpad(CAST(v AS VARCHAR), 9, '0') AS visitor,
              ${itemId(
                `CASE WHEN ${draw('i', 3)} < ${OF_TASTE}
                      THEN least(${items - 1}, ${tastes} * ${zipf(items / tastes, draw('i', 4))} + CAST(floor(${tastes} * ${draw('id', 5)}) AS BIGINT))
                      ELSE ${zipf(items, draw('i', 4))} END`,
              )} AS item,
              CAST(${END} - 86400 * ${DAYS} * ${draw('id', 6)} + 1200 * ${draw('i', 7)} AS BIGINT) AS at,
              CASE WHEN ${draw('i', 8)} < 0.85 THEN 'item_view' WHEN ${draw('i', 8)} < 0.95 THEN 'add_to_cart' ELSE 'purchase' END AS kind,
              ${choice(COUNTRIES, draw('v', 10), 2)} AS country,
              ${choice(['phone', 'desktop', 'tablet'], draw('v', 11), 1.5)} AS device,
              ${choice(['none', 'search', 'social', 'email'], draw('id', 12), 1.5)} AS referrer
       FROM visits`,
    )
    return files
  } finally {
    close()
  }
}

/** SQL for a number from 0 (inclusive) to 1, the same whenever it is asked for. */
const draw = (of: string, salt: number): string => `((hash(CAST(${of} AS BIGINT) * 16 + ${salt}) >> 11) / 9007199254740992.0)`

/** Of 0 … n - 1, the r-th about as likely as 1 / (r + 1). */
const zipf = (n: number, drawn: string): string => `CAST(floor(exp(${drawn} * ln(${n + 1})) - 1) AS BIGINT)`

const itemId = (index: string): string => `'i' || lpad(CAST(${index} AS VARCHAR), 7, '0')`

/** The first ones more often. */
const choice = (of: readonly string[], drawn: string, power: number): string =>
  `[${of.map(quoted).join(', ')}][1 + CAST(floor(${of.length} * pow(${drawn}, ${power})) AS BIGINT)]`

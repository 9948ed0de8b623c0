import { quoted } from '../engine/database.ts'
import { classify } from './classes.ts'
import { countryCode } from './country-codes.ts'
import type { Source } from './source.ts'

/** Codes that are no products: postage, fees, samples, manual corrections. */
const SERVICE_CODES = ['POST', 'DOT', 'M', 'C2', 'D', 'S', 'PADS', 'BANK CHARGES', 'AMAZONFEE', 'CRUK']

/** Words at the end of a description that name no kind of thing. */
const VAGUE_WORDS = [
  'LARGE',
  'SMALL',
  'MEDIUM',
  'BLUE',
  'PINK',
  'RED',
  'GREEN',
  'WHITE',
  'BLACK',
  'IVORY',
  'CREAM',
  'GOLD',
  'SILVER',
  'DESIGN',
  'ASSORTED',
  'COLOUR',
]

/**
 * The UCI "Online Retail" file: every line of a British gift shop's year. Cancellations, lines without a customer, and
 * service codes are left out; an invoice is a session, a country a region, a line a purchase.
 * @param until Unix seconds: lines from then on are as if they were not in the file
 */
export function onlineRetail(file: string, until = Number.MAX_SAFE_INTEGER): Source {
  return {
    name: 'online-retail',
    async load(db) {
      await db.run(`
        CREATE TEMP TABLE retail_lines AS
        SELECT row_number() OVER () AS seq, *
        FROM read_csv(${quoted(file)}, header = true, all_varchar = true, quote = '"', escape = '"', nullstr = 'NA', parallel = false)`)
      await db.run(`
        CREATE TEMP TABLE retail AS
        SELECT seq, InvoiceNo AS invoice, StockCode AS item, Description AS title, TRY_CAST(Quantity AS BIGINT) AS quantity,
               TRY_CAST(UnitPrice AS DOUBLE) AS price, CustomerID AS visitor, Country AS country,
               CAST(epoch(TRY_CAST(InvoiceDate AS TIMESTAMP)) AS BIGINT) AS at_s
        FROM retail_lines
        WHERE NOT starts_with(InvoiceNo, 'C') AND CustomerID IS NOT NULL AND TRY_CAST(Quantity AS BIGINT) > 0
          AND TRY_CAST(UnitPrice AS DOUBLE) > 0 AND StockCode NOT IN (${SERVICE_CODES.map(quoted).join(', ')})
          AND CAST(epoch(TRY_CAST(InvoiceDate AS TIMESTAMP)) AS BIGINT) < ${until}`)
      await classify(db, 'retail', 'country', countryCode)
      await db.run(`
        INSERT INTO raw_events
        SELECT seq, NULL, visitor, false, item, at_s, 'purchase', invoice, class, NULL, NULL, NULL
        FROM retail LEFT JOIN country_classes USING (country)`)
      await db.run(`
        INSERT INTO raw_items
        WITH titles AS (SELECT item, trim(title) AS title, count(*) AS n FROM retail WHERE title IS NOT NULL GROUP BY ALL),
             titled AS (SELECT item, arg_max(title, (n, title)) AS title FROM titles GROUP BY item),
             prices AS (SELECT item, quantile_disc(price, 0.5) AS price, min(at_s) AS first_seen FROM retail GROUP BY item),
             words AS (
               SELECT item, unnest(list_filter(regexp_extract_all(upper(title), '[A-Z]{3,}'), word -> NOT list_contains([${VAGUE_WORDS.map(quoted).join(', ')}], word))[-1:]) AS word
               FROM titled),
             kinds AS (SELECT word, count(*) AS n FROM words GROUP BY word)
        SELECT item, title, CASE WHEN n >= 8 THEN upper(word[1]) || lower(word[2:]) END, price, NULL, NULL, true, first_seen, NULL
        FROM prices LEFT JOIN titled USING (item) LEFT JOIN words USING (item) LEFT JOIN kinds USING (word)
        ORDER BY item`)
      await db.run('DROP TABLE retail; DROP TABLE retail_lines; DROP TABLE country_classes')
    },
  }
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { ITEMS_PREFIX } from '../../shared/schemas/items.ts'
import { quoted } from '../engine/database.ts'
import type { Source } from './source.ts'

/**
 * What the edge recorded: archive files of EventRecord lines (shared/schemas/events.ts). Views, clicks, carts and
 * purchases become events, a purchase one for every item; an impression becomes a row for every item shown, with the
 * click on it that names the same list. What a visitor did before a login is the user's. Nothing is learned from what a visitor did before an erasure took full effect.
 */
export function edge(folder: string): Source {
  return {
    name: 'edge',
    async load(db) {
      const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ndjson'))
        .sort()
      await loadItemChanges(
        db,
        all.filter((name) => name.startsWith(ITEMS_PREFIX)).map((name) => join(folder, name)),
      )
      const files = all.filter((name) => !name.startsWith(ITEMS_PREFIX))
      if (files.length === 0) return
      const list = files.map((name) => quoted(join(folder, name))).join(', ')
      // Kept in the order of thousands of small files, rows would fill the memory with half-empty blocks; they are ordered below.
      await db.run(`
        SET preserve_insertion_order = false;
        CREATE OR REPLACE TEMP TABLE archived AS
        SELECT *
        FROM read_json([${list}], format = 'newline_delimited', ignore_errors = true,
          columns = {id: 'VARCHAR', type: 'VARCHAR', item: 'VARCHAR', items: 'JSON[]', positions: 'BIGINT[]', "at": 'BIGINT', received: 'BIGINT', visitor: 'VARCHAR', country: 'VARCHAR', device: 'VARCHAR', referrer: 'VARCHAR', "until": 'BIGINT', "into": 'VARCHAR', "recommId": 'VARCHAR'});
        SET preserve_insertion_order = true;
        INSERT INTO raw_erased SELECT DISTINCT visitor FROM archived WHERE type = 'erasure';
        CREATE OR REPLACE TEMP TABLE records AS
        WITH erased AS (SELECT visitor, max("until") AS until_ms FROM archived WHERE type = 'erasure' GROUP BY visitor),
          merged AS (SELECT visitor, max_by("into", (received, "into")) AS login FROM archived WHERE type = 'merge' GROUP BY visitor)
        -- Sorted and then counted: a sort goes to disk where memory ends, numbers over an order are made in memory.
        SELECT row_number() OVER () AS nth, * FROM (
          SELECT archived.* REPLACE (coalesce(login, visitor) AS visitor)
          FROM archived LEFT JOIN merged USING (visitor)
          WHERE NOT EXISTS (SELECT 1 FROM erased WHERE erased.visitor IN (archived.visitor, login) AND archived.received <= erased.until_ms)
          ORDER BY received, id);
        INSERT INTO raw_events
        WITH bought AS (
          SELECT nth, id, visitor, coalesce("at", received) AS at_ms, country, device, referrer, unnest(items) AS line FROM records WHERE type = 'purchase')
        SELECT (SELECT seq FROM before) + 1000 * nth, id, visitor, true, item, coalesce("at", received) // 1000, type, NULL, country, NULL, device, referrer
        FROM records WHERE type IN ('click', 'item_view', 'add_to_cart')
        UNION ALL
        SELECT (SELECT seq FROM before) + 1000 * nth + row_number() OVER (PARTITION BY nth), id, visitor, true, line->>'item', at_ms // 1000, 'purchase', NULL, country,
               NULL, device, referrer
        FROM bought;
        INSERT INTO raw_impressions
        WITH shown AS (
          SELECT visitor, "recommId" AS list, unnest(items) ->> '$' AS item, unnest(coalesce(positions, range(1, 1 + len(items)))) AS position, coalesce("at", received) // 1000 AS at_s
          FROM records WHERE type = 'impression' AND visitor IS NOT NULL AND "recommId" IS NOT NULL),
        clicks AS (
          SELECT visitor, "recommId" AS list, item, min(coalesce("at", received) // 1000) AS clicked_at_s
          FROM records WHERE type = 'click' AND visitor IS NOT NULL AND "recommId" IS NOT NULL GROUP BY ALL)
        SELECT visitor, list, item, position, at_s, clicked_at_s
        FROM shown LEFT JOIN clicks USING (visitor, list, item)
        QUALIFY row_number() OVER (PARTITION BY visitor, list, item ORDER BY at_s, position) = 1`)
    },
  }
}

/** What was said of the catalogue over the API: lines of ItemRecord (shared/schemas/items.ts), in the order in which they came. */
async function loadItemChanges(db: DuckDBConnection, files: readonly string[]): Promise<void> {
  if (files.length === 0) return
  await db.run(`
    INSERT INTO raw_item_changes
    SELECT item, received, row_number() OVER (), type = 'item_remove', fields->>'$.title',
           coalesce(fields->>'$.category', fields->>'$.categories[0]'), TRY_CAST(fields->>'$.price' AS DOUBLE), fields->>'$.url', fields->>'$.image',
           TRY_CAST(fields->>'$.available' AS BOOLEAN), TRY_CAST(fields->>'$.from' AS BIGINT), TRY_CAST(fields->>'$.until' AS BIGINT),
           CAST(json_merge_patch(coalesce(fields->'$.properties', '{}'),
                                 json_object('tags', fields->'$.tags', 'categories', fields->'$.categories')) AS VARCHAR)
    FROM read_json([${files.map(quoted).join(', ')}], format = 'newline_delimited', ignore_errors = true,
      columns = {item: 'VARCHAR', received: 'BIGINT', type: 'VARCHAR', fields: 'JSON'})`)
}

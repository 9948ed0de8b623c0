import type { DuckDBConnection } from '@duckdb/node-api'

/**
 * Brings what the edge was told of the catalogue into it, change by change: what is not said stays as it was, and what was
 * removed begins anew when it comes back. An item outside its window, as of the newest event, is not available. Leaves the
 * table `removed_items(item)`.
 */
export async function applyItemChanges(db: DuckDBConnection): Promise<void> {
  const last = (column: string): string => `arg_max(${column}, place) FILTER (WHERE ${column} IS NOT NULL) AS ${column}`
  await db.run(`
    CREATE TABLE ordered_changes AS
    SELECT *, row_number() OVER (PARTITION BY item ORDER BY received, nth) AS place FROM raw_item_changes;
    CREATE TABLE removed_items AS
    SELECT item FROM ordered_changes GROUP BY item HAVING arg_max(removed, place);
    DELETE FROM catalogue WHERE item IN (SELECT item FROM raw_item_changes WHERE removed);
    CREATE TABLE told AS
    WITH removals AS (SELECT item, max(place) AS removal FROM ordered_changes WHERE removed GROUP BY item)
    SELECT item, min(received) AS first_ms, ${['title', 'category', 'price', 'url', 'image', 'available', 'from_ms', 'until_ms'].map(last).join(', ')},
           list_reduce(list(CAST(properties AS JSON) ORDER BY place), (a, b) -> json_merge_patch(a, b)) AS properties
    FROM ordered_changes LEFT JOIN removals USING (item)
    WHERE removal IS NULL OR place > removal
    GROUP BY item;
    CREATE OR REPLACE TABLE catalogue AS
    WITH newest AS (SELECT 1000 * coalesce(max(at_s), 0) AS now_ms FROM raw_events WHERE at_s < 4102444800)
    SELECT item, coalesce(told.title, c.title) AS title, coalesce(told.category, c.category) AS category, coalesce(told.price, c.price) AS price,
           coalesce(told.url, c.url) AS url, coalesce(told.image, c.image) AS image,
           coalesce(told.available, c.available, true) AND coalesce(from_ms <= now_ms, true) AND coalesce(until_ms > now_ms, true) AS available,
           CASE WHEN c.item IS NULL THEN coalesce(from_ms, first_ms) // 1000 ELSE c.first_seen END AS first_seen,
           CASE WHEN told.properties IS NULL THEN c.properties
                ELSE CAST(json_merge_patch(CAST(coalesce(c.properties, '{}') AS JSON), told.properties) AS VARCHAR) END AS properties
    FROM catalogue c FULL JOIN told USING (item), newest`)
}

import type { DuckDBConnection } from '@duckdb/node-api'
import type { Source } from '../../sources/source.ts'

/** A source of which only a part may be learned from. Items that only the rest touches are unknown. */
const cut = (source: Source, remove: string): Source => ({
  name: source.name,
  async load(db: DuckDBConnection) {
    await source.load(db)
    await db.run(
      `DELETE FROM raw_events WHERE ${remove}; DELETE FROM raw_impressions; DELETE FROM raw_items WHERE item NOT IN (SELECT item FROM raw_events WHERE item IS NOT NULL)`,
    )
  },
})

/** What happened before `until` (Unix seconds). */
export const cutBefore = (source: Source, until: number): Source => cut(source, `at_s >= ${until}`)

/** Everything but every visitor's last event; of those with one event, that one stays. */
export const leaveLastOut = (source: Source): Source =>
  cut(
    source,
    `seq IN (SELECT seq FROM raw_events QUALIFY row_number() OVER (PARTITION BY visitor ORDER BY at_s DESC, seq DESC) = 1 AND count(*) OVER (PARTITION BY visitor) > 1)`,
  )

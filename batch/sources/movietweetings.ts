import { quoted } from '../engine/database.ts'
import type { Source } from './source.ts'

/** MovieTweetings: a rating is a click on a movie; the first genre is its category; it is as old as the end of its year, at least. */
export function movieTweetings(ratings: string, movies: string): Source {
  // DuckDB's CSV reader takes one-character delimiters: a line is read whole and cut at "::" in SQL.
  const lines = (file: string): string =>
    `(SELECT row_number() OVER () AS seq, string_split(line, '::') AS part FROM read_csv(${quoted(file)}, columns = {line: 'VARCHAR'}, header = false, delim = '\t', quote = '', escape = '', parallel = false))`
  return {
    name: 'movietweetings',
    async load(db) {
      await db.run(`
        INSERT INTO raw_events
        SELECT seq, NULL, part[1], false, part[2], TRY_CAST(part[4] AS BIGINT), 'click', NULL, NULL, NULL, NULL, NULL FROM ${lines(ratings)}`)
      await db.run(`
        INSERT INTO raw_items
        SELECT part[1], part[2], nullif(string_split(part[3], '|')[1], ''), NULL, NULL, NULL, true,
               epoch(make_date(TRY_CAST(year AS INTEGER), 12, 31))::BIGINT, json_object('genres', string_split(part[3], '|'), 'year', year)
        FROM (SELECT part, regexp_extract(part[2], '\\((\\d{4})\\)', 1) AS year FROM ${lines(movies)})`)
    },
  }
}

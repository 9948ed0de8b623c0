import type { DuckDBConnection } from '@duckdb/node-api'

/**
 * A source fills these tables and nothing else:
 *
 * raw_events(seq BIGINT, id VARCHAR, visitor VARCHAR, pseudonymous BOOLEAN, item VARCHAR, at_s BIGINT, kind VARCHAR,
 *            session VARCHAR, country VARCHAR, weight DOUBLE, device VARCHAR, referrer VARCHAR)
 *   seq = order of arrival; id = client event id or NULL; at_s = Unix seconds; kind = click | item_view | add_to_cart | purchase;
 *   session = NULL to have visits cut at pauses of 30 minutes; country = ISO 3166-1 alpha-2 or NULL;
 *   weight = how much the visitor made of it (plays, stars, pieces), above 0, or NULL where all count alike;
 *   device, referrer = a class of shared/ranking/visit-context.ts or NULL.
 * raw_items(item VARCHAR, title VARCHAR, category VARCHAR, price DOUBLE, url VARCHAR, image VARCHAR, available BOOLEAN,
 *           first_seen BIGINT, properties VARCHAR)
 *   properties = a JSON object of further values to show, or NULL. Items without a row here still count, by their id alone.
 * raw_impressions(visitor VARCHAR, list VARCHAR, item VARCHAR, position INTEGER, at_s BIGINT, clicked_at_s BIGINT)
 *   what visitors of the edge (pseudonyms) were shown: list = its recommId; position = the item's place in it, 1 … 100;
 *   clicked_at_s = when the visitor first clicked the item of that list, or NULL. Each item of a list once a visitor.
 * raw_item_changes(item VARCHAR, received BIGINT, nth BIGINT, removed BOOLEAN, title, category, price, url, image, available,
 *                  from_ms BIGINT, until_ms BIGINT, properties)
 *   changes of the catalogue at the edge in the order (received, nth), received in Unix milliseconds; NULL = not said.
 * raw_erased(visitor VARCHAR)
 *   pseudonyms of visitors who had themselves erased: an imported history must not bring them back.
 */
export type Source = {
  name: string
  /** @throws InputError with one line that says what is wrong with the input and what to do. */
  load(db: DuckDBConnection): Promise<void>
}

/** Bad input or bad use: printed as one line, exit code 2. */
export class InputError extends Error {
  override name = 'InputError'
}

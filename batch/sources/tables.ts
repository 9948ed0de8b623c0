/** The tables sources fill; see source.ts for what the columns mean. */
export const CREATE_TABLES = `
  CREATE TABLE IF NOT EXISTS raw_events (
    seq BIGINT, id VARCHAR, visitor VARCHAR, pseudonymous BOOLEAN, item VARCHAR, at_s BIGINT, kind VARCHAR,
    session VARCHAR, country VARCHAR, weight DOUBLE, device VARCHAR, referrer VARCHAR);
  CREATE TABLE IF NOT EXISTS raw_items (
    item VARCHAR, title VARCHAR, category VARCHAR, price DOUBLE, url VARCHAR, image VARCHAR, available BOOLEAN,
    first_seen BIGINT, properties VARCHAR);
  CREATE TABLE IF NOT EXISTS raw_impressions (
    visitor VARCHAR, list VARCHAR, item VARCHAR, position INTEGER, at_s BIGINT, clicked_at_s BIGINT);
  CREATE TABLE IF NOT EXISTS raw_item_changes (
    item VARCHAR, received BIGINT, nth BIGINT, removed BOOLEAN, title VARCHAR, category VARCHAR, price DOUBLE, url VARCHAR, image VARCHAR,
    available BOOLEAN, from_ms BIGINT, until_ms BIGINT, properties VARCHAR);
  CREATE TABLE IF NOT EXISTS raw_erased (visitor VARCHAR)`

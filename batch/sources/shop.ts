import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { quoted } from '../engine/database.ts'
import { generateShop } from './shop-generator.ts'
import type { Source } from './source.ts'

export const SHOP_SEED = 7
const DAY = 86_400

/** The demo shop that comes with Nightjar; generated on first use, its history ending when it was. */
export function shop(folder: string, now: number): Source {
  return {
    name: 'shop',
    async load(db) {
      if (!existsSync(join(folder, 'shop.json')))
        await generateShop(folder, { seed: SHOP_SEED, visitors: 6000, days: 60, end: Math.floor(now / 1000 / DAY) * DAY })
      await db.run(`
        INSERT INTO raw_events
        SELECT row_number() OVER (), id, visitor, false, item, "at", kind, NULL, country, NULL, device, referrer
        FROM read_json(${quoted(join(folder, 'events.ndjson'))}, format = 'newline_delimited',
          columns = {id: 'VARCHAR', visitor: 'VARCHAR', item: 'VARCHAR', "at": 'BIGINT', kind: 'VARCHAR', country: 'VARCHAR', device: 'VARCHAR', referrer: 'VARCHAR'})`)
      await db.run(`
        INSERT INTO raw_items
        SELECT item, title, category, price, NULL, NULL, true, first_seen, properties
        FROM read_json(${quoted(join(folder, 'items.ndjson'))}, format = 'newline_delimited',
          columns = {item: 'VARCHAR', title: 'VARCHAR', category: 'VARCHAR', price: 'DOUBLE', first_seen: 'BIGINT', properties: 'VARCHAR'})`)
    },
  }
}

import { itemHash } from '../../../shared/release/hash.ts'
import type { Dataset } from '../../dataset.ts'
import { eachRow, quoted } from '../../engine/database.ts'
import type { Source } from '../../sources/source.ts'
import { type PeriodQuery, periodQueries } from '../queries.ts'
import type { Task, Trial } from '../trial.ts'
import { before, deedsWhere } from './inner-cut.ts'

/** Which tenth of the catalogue is hidden: one for the test, another for validation within training. */
export type Tenth = 0 | 1

/** Drawn by hash, so that popular and rare, old and new items are hidden alike. */
export const isHidden = (id: string, tenth: Tenth): boolean => itemHash(id, 0) % 10 === tenth

/** A source in which nobody touched a hidden item before `until` (Unix seconds). The catalogue keeps what it says of them. */
export const hideItems = (source: Source, until: number): Source => ({
  name: source.name,
  async load(db) {
    await source.load(db)
    const hidden: string[] = []
    await eachRow(db, 'SELECT DISTINCT item FROM raw_events WHERE item IS NOT NULL ORDER BY item', ([item]) => {
      if (isHidden(String(item), 0)) hidden.push(String(item))
    })
    if (hidden.length > 0) await db.run(`DELETE FROM raw_events WHERE at_s < ${until} AND item IN (${hidden.map(quoted).join(', ')})`)
  },
})

/** The least a visitor must have taken before: of one of whom nothing is known, content tells nothing. */
const LEAST_HISTORY = 4

/**
 * Whoever takes hidden items of the training catalogue from `split` on is asked for those: once with nothing else to
 * answer with, once among everything that they do not have.
 * @param all both sides of the split, hidden items untouched before it
 */
export function hiddenItemTasks(all: Dataset, train: Dataset, split: number, tenth: Tenth): Task[] {
  const hidden = new Set<number>()
  const others = new Set<number>()
  train.items.forEach(({ id }, item) => {
    const side = isHidden(id, tenth) ? hidden : others
    side.add(item)
  })
  const queries = periodQueries(all, train, split).flatMap((query): PeriodQuery[] => {
    const relevant = new Set([...query.relevant].filter((item) => hidden.has(item)))
    return query.owned.size >= LEAST_HISTORY && relevant.size > 0 ? [{ ...query, relevant }] : []
  })
  return [
    { name: 'hidden-items', queries: queries.map((query) => ({ ...query, masked: others })) },
    { name: 'hidden-items-among-all', queries: queries.map((query) => ({ ...query, masked: query.owned })) },
  ]
}

/** The same within the training part: another tenth is hidden, and asked for from `split` on. */
export function hiddenItemValidation(dataset: string, train: Dataset, split: number): Trial {
  const unseen = train.items.map(({ id }) => isHidden(id, 1))
  // When a hidden item was first touched would tell that it was.
  const items = train.items.map((item, i) => (unseen[i] ? { ...item, firstSeen: 0 } : item))
  const { deeds } = train
  const all = deedsWhere({ ...train, items }, (k) => deeds.at[k] >= split || !unseen[deeds.item[k]])
  const inner = before(all, split)
  return { dataset, train: inner, time: 'seconds', tasks: hiddenItemTasks(all, inner, split, 1) }
}

import type { ItemRecord } from '../../shared/schemas/items.ts'
import { HttpProblem } from '../http/problem.ts'
import { warn } from '../log.ts'
import { noteDeed } from '../objects/audit-log-client.ts'
import { changeItems } from '../objects/live-state-client.ts'

/**
 * Changes of the catalogue, however they came: durable, live, and on record as counts.
 * @param admin whose name the audit log has @param now Unix milliseconds
 * @returns how many changed items the edge shows beside the release @throws HttpProblem 503 where they were not taken
 */
export async function applyChanges(env: Env, admin: string, changes: readonly ItemRecord[], now: number): Promise<number> {
  if (changes.length === 0) return 0
  try {
    const live = await changeItems(env, changes, now)
    const removed = changes.filter(({ type }) => type === 'item_remove').length
    await noteDeed(env, admin, { upserted: changes.length - removed, removed }, now)
    return live
  } catch (error) {
    warn('items-not-taken', error)
    throw new HttpProblem(503, 'the catalogue did not take the items; send them again')
  }
}

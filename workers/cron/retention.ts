import * as v from 'valibot'
import { purge } from '../../shared/archive-lines.ts'
import { EVENTS_PREFIX } from '../../shared/quarantine.ts'
import { parseRetention, periodsPassed, type Retention } from '../../shared/retention.ts'
import { onRecord } from '../objects/audit-log-client.ts'

/** How far the cron has got. */
const STATE_KEY = 'live/retention.json'
/** A cron run of the free plan may make 50 calls, and a file costs two; one call deletes 1,000. */
const FILES_A_RUN = 12
const DELETES_A_RUN = 1000

/** Per day of the archive: how many periods it has been gone through for, and after which file of the next one to go on. */
const State = v.record(v.string(), v.object({ passed: v.number(), after: v.string() }))
type State = v.InferOutput<typeof State>

/**
 * Takes out of the archive what has had its time, whether or not nights run: a bounded part a run, oldest days first. A day
 * is gone through once for each period of RETENTION_DAYS that ends; once all have ended, its files go unread.
 * @param now Unix milliseconds @throws RangeError when RETENTION_DAYS cannot be read: nothing is deleted then
 */
export async function enforceRetention(env: Env, now: number): Promise<void> {
  const retention = parseRetention(env.RETENTION_DAYS)
  const days = await daysInArchive(env)
  const due = days.map((day) => ({ day, ...periodsPassed(retention, day, now) })).filter(({ passed }) => passed > 0)
  if (due.length === 0) return
  const known = await readState(env)
  for (const { day, passed, all } of due) {
    const { passed: gone, after } = known[day] ?? { passed: 0, after: '' }
    if (passed <= gone) continue
    const step = all ? await deleteDay(env, day) : await purgeFiles(env, day, after, retention, now)
    const next = step.after === null ? { passed, after: '' } : { passed: gone, after: step.after }
    const state = Object.fromEntries(Object.entries({ ...known, [day]: next }).filter(([other]) => days.includes(other)))
    await env.EVENTS.put(STATE_KEY, JSON.stringify(state))
    if (step.files > 0) await onRecord(env, { action: 'retention', actor: 'cron', detail: { files: step.files, lines: step.lines } }, now)
    return
  }
}

/** `after`: the file to go on after, null at the day's end; `lines` is 0 where files went unread. */
type Step = { files: number; lines: number; after: string | null }

async function deleteDay(env: Env, day: string): Promise<Step> {
  const page = await env.EVENTS.list({ prefix: `${EVENTS_PREFIX}date=${day}/`, limit: DELETES_A_RUN })
  const keys = page.objects.map(({ key }) => key)
  if (keys.length > 0) await env.EVENTS.delete(keys)
  return { files: keys.length, lines: 0, after: page.truncated ? '' : null }
}

async function purgeFiles(env: Env, day: string, after: string, retention: Retention, now: number): Promise<Step> {
  const page = await env.EVENTS.list({
    prefix: `${EVENTS_PREFIX}date=${day}/`,
    limit: FILES_A_RUN,
    ...(after !== '' && { startAfter: after }),
  })
  let files = 0
  let lines = 0
  for (const { key } of page.objects) {
    const text = await (await env.EVENTS.get(key))?.text()
    if (text === undefined) continue
    const purged = purge(text, new Map(), retention, now)
    if (purged.expired === 0) continue
    if (purged.text === '') await env.EVENTS.delete(key)
    else await env.EVENTS.put(key, purged.text)
    files++
    lines += purged.expired
  }
  return { files, lines, after: page.truncated ? (page.objects.at(-1)?.key ?? null) : null }
}

async function daysInArchive(env: Env): Promise<string[]> {
  const days: string[] = []
  let cursor: string | undefined
  do {
    const page: R2Objects = await env.EVENTS.list({ prefix: EVENTS_PREFIX, delimiter: '/', ...(cursor !== undefined && { cursor }) })
    days.push(...page.delimitedPrefixes.map((prefix) => prefix.slice(`${EVENTS_PREFIX}date=`.length, -1)))
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor !== undefined)
  return days.filter((day) => /^\d{4}-\d\d-\d\d$/.test(day)).sort()
}

async function readState(env: Env): Promise<State> {
  const object = await env.EVENTS.get(STATE_KEY)
  const parsed = v.safeParse(State, object === null ? {} : await object.json().catch(() => ({})))
  return parsed.success ? parsed.output : {}
}

import * as v from 'valibot'
import { purge } from '../../shared/archive-lines.ts'
import { EVENTS_PREFIX, QUARANTINE_PREFIX } from '../../shared/quarantine.ts'
import { parseRetention, periodsPassed, type Retention } from '../../shared/retention.ts'
import { onRecord } from '../objects/audit-log-client.ts'
import { archivesOf } from '../objects/place.ts'

/** Files by day, under one prefix of one bucket. */
type Archive = { bucket: R2Bucket; prefix: string }

/** How far the cron has got in an archive; lies in its bucket. */
const stateKey = ({ prefix }: Archive): string => (prefix === EVENTS_PREFIX ? 'live/retention.json' : 'live/retention-quarantine.json')
/** A cron run of the free plan may make 50 calls, and a file costs two; one call deletes 1,000. */
const FILES_A_RUN = 12
const DELETES_A_RUN = 1000
/** The cron comes every five minutes. */
const RUN_MS = 5 * 60_000

/** Per day of the archive: how many periods it has been gone through for, and after which file of the next one to go on. */
const State = v.record(v.string(), v.object({ passed: v.number(), after: v.string() }))
type State = v.InferOutput<typeof State>

/**
 * Takes out of the archive what has had its time, whether or not nights run: a bounded part a run, oldest days first. A day
 * is gone through once for each period of RETENTION_DAYS that ends; once all have ended, its files go unread. Of the
 * archives and quarantines each has the first go in its turn, and the others theirs where there is nothing to do in it.
 * @param now Unix milliseconds @throws RangeError when RETENTION_DAYS cannot be read: nothing is deleted then
 */
export async function enforceRetention(env: Env, now: number): Promise<void> {
  const retention = parseRetention(env.RETENTION_DAYS)
  const places = archivesOf(env).flatMap((bucket) => [EVENTS_PREFIX, QUARANTINE_PREFIX].map((prefix): Archive => ({ bucket, prefix })))
  const turn = Math.floor(now / RUN_MS) % places.length
  for (const archive of [...places.slice(turn), ...places.slice(0, turn)]) {
    const step = await enforceIn(archive, retention, now)
    if (step === null) continue
    if (step.files > 0) await onRecord(env, { action: 'retention', actor: 'cron', detail: { files: step.files, lines: step.lines } }, now)
    return
  }
}

/** The next step in one archive; null where nothing is due. */
async function enforceIn(archive: Archive, retention: Retention, now: number): Promise<Step | null> {
  const days = await daysIn(archive)
  const due = days.map((day) => ({ day, ...periodsPassed(retention, day, now) })).filter(({ passed }) => passed > 0)
  if (due.length === 0) return null
  const known = await readState(archive)
  for (const { day, passed, all } of due) {
    const { passed: gone, after } = known[day] ?? { passed: 0, after: '' }
    if (passed <= gone) continue
    const step = all ? await deleteDay(archive, day) : await purgeFiles(archive, day, after, retention, now)
    const next = step.after === null ? { passed, after: '' } : { passed: gone, after: step.after }
    const state = Object.fromEntries(Object.entries({ ...known, [day]: next }).filter(([other]) => days.includes(other)))
    await archive.bucket.put(stateKey(archive), JSON.stringify(state))
    return step
  }
  return null
}

/** `after`: the file to go on after, null at the day's end; `lines` is 0 where files went unread. */
type Step = { files: number; lines: number; after: string | null }

async function deleteDay({ bucket, prefix }: Archive, day: string): Promise<Step> {
  const page = await bucket.list({ prefix: `${prefix}date=${day}/`, limit: DELETES_A_RUN })
  const keys = page.objects.map(({ key }) => key)
  if (keys.length > 0) await bucket.delete(keys)
  return { files: keys.length, lines: 0, after: page.truncated ? '' : null }
}

async function purgeFiles({ bucket, prefix }: Archive, day: string, after: string, retention: Retention, now: number): Promise<Step> {
  const page = await bucket.list({
    prefix: `${prefix}date=${day}/`,
    limit: FILES_A_RUN,
    ...(after !== '' && { startAfter: after }),
  })
  let files = 0
  let lines = 0
  for (const { key } of page.objects) {
    const text = await (await bucket.get(key))?.text()
    if (text === undefined) continue
    const purged = purge(text, new Map(), retention, now)
    if (purged.expired === 0) continue
    if (purged.text === '') await bucket.delete(key)
    else await bucket.put(key, purged.text)
    files++
    lines += purged.expired
  }
  return { files, lines, after: page.truncated ? (page.objects.at(-1)?.key ?? null) : null }
}

async function daysIn({ bucket, prefix }: Archive): Promise<string[]> {
  const days: string[] = []
  let cursor: string | undefined
  do {
    const page: R2Objects = await bucket.list({ prefix, delimiter: '/', ...(cursor !== undefined && { cursor }) })
    days.push(...page.delimitedPrefixes.map((folder) => folder.slice(`${prefix}date=`.length, -1)))
    cursor = page.truncated ? page.cursor : undefined
  } while (cursor !== undefined)
  return days.filter((day) => /^\d{4}-\d\d-\d\d$/.test(day)).sort()
}

async function readState(archive: Archive): Promise<State> {
  const object = await archive.bucket.get(stateKey(archive))
  const parsed = v.safeParse(State, object === null ? {} : await object.json().catch(() => ({})))
  return parsed.success ? parsed.output : {}
}

import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { REMEMBERED_ITEMS } from '../../../shared/memory.ts'
import { usualHour } from '../../../shared/ranking/local-hour.ts'
import { type HistoryItem, VIEWED } from '../../../shared/ranking/release-view.ts'
import { UNKNOWN_CONTEXT } from '../../../shared/ranking/visit-context.ts'
import type { Dataset } from '../../dataset.ts'
import { quoted } from '../../engine/database.ts'
import { historyOf, visitorStarts } from '../../learn/histories.ts'
import { InputError, type Source } from '../../sources/source.ts'
import { historyOfItems, NOTHING } from '../queries.ts'
import type { Query } from '../trial.ts'

/** The lines of a gzipped text, without the empty ones. @throws InputError when there is no such file */
export function lines(file: string): string[] {
  if (!existsSync(file)) throw new InputError(`${file}: no such file; --data FOLDER says where the data sets lie`)
  return gunzipSync(readFileSync(file))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
}

/** An item that training does not know. */
const UNKNOWN = -1

/** Index of every item id that training knows. */
const indexOf = (train: Dataset): Map<string, number> => new Map(train.items.map(({ id }, item) => [id, item]))

/** A file without times gets as many days as the real one had, so that "recent" means something. */
const DIGINETICA_DAYS = 150
const EPOCH = 1_400_000_000

/** Training sessions, one a line, items apart by blanks, in chronological order. */
export const digineticaSource = (file: string): Source => ({
  name: 'diginetica',
  async load(db) {
    await db.run(`
      CREATE TEMP TABLE diginetica AS
      SELECT row_number() OVER () AS line, string_split(items, ' ') AS items
      FROM read_csv(${quoted(file)}, columns = {items: 'VARCHAR'}, header = false, delim = '\t', quote = '', escape = '', parallel = false)`)
    await db.run(`
      INSERT INTO raw_events
      SELECT line * 1000 + position, NULL, 's' || line, false, items[position],
             ${EPOCH} + line * ${86_400 * DIGINETICA_DAYS} // (SELECT max(line) FROM diginetica), 'click', line, NULL, NULL, NULL, NULL
      FROM diginetica, unnest(range(1, len(items) + 1)) AS positions(position)
      ORDER BY line, position`)
    await db.run('DROP TABLE diginetica')
  },
})

/** Every line asks for one item after a prefix; adjacent lines whose prefixes nest are one session. */
export function digineticaQueries(file: string, train: Dataset): Query[] {
  const index = indexOf(train)
  let cluster = -1
  let before = ''
  return lines(file).map((line) => {
    const [prefix, target] = line.split('\t')
    if (!before.startsWith(`${prefix} `)) cluster++
    before = prefix
    const history = historyOfItems(
      prefix.split(' ').map((id) => index.get(id) ?? -1),
      VIEWED,
    )
    return {
      history,
      inSession: history.length,
      country: '',
      context: UNKNOWN_CONTEXT,
      relevant: new Set([index.get(target) ?? UNKNOWN]),
      masked: NOTHING,
      cluster,
    }
  })
}

/** bol.com clicks: session, item, seconds; apart by tabs, with a header. */
export const serenadeSource = (file: string): Source => ({
  name: 'serenade-bolcom',
  async load(db) {
    await db.run(`
      INSERT INTO raw_events
      SELECT row_number() OVER (ORDER BY at_s, line), NULL, SessionId, false, ItemId, at_s, 'click', SessionId, NULL, NULL, NULL, NULL
      FROM (SELECT row_number() OVER () AS line, SessionId, ItemId, CAST(CAST(Time AS DOUBLE) AS BIGINT) AS at_s
            FROM read_csv(${quoted(file)}, header = true, delim = '\t', all_varchar = true, parallel = false))`)
  },
})

/** A click of a session; `at` in Unix seconds. */
export type Click = { item: string; at: number; line: number }

/** The sessions of a file in the order in which they appear in it, each by time. */
export function serenadeSessions(file: string): Click[][] {
  const sessions = new Map<string, Click[]>()
  for (const [line, text] of lines(file).slice(1).entries()) {
    const [session, item, at] = text.split('\t')
    const clicks = sessions.get(session) ?? []
    sessions.set(session, clicks)
    clicks.push({ item, at: Number(at), line })
  }
  return [...sessions.values()].map((clicks) => clicks.sort((a, b) => a.at - b.at || a.line - b.line))
}

/**
 * Iterative reveal: after every click but a session's last, what is the next one? The newest item itself is no answer.
 * @param most how many items are remembered, those that training does not know among them
 */
export function serenadeQueries(sessions: readonly (readonly Click[])[], train: Dataset, most = REMEMBERED_ITEMS): Query[] {
  const index = indexOf(train)
  return sessions.flatMap((clicks, cluster) =>
    clicks.slice(1).map((target, i): Query => {
      const newest = index.get(clicks[i].item) ?? UNKNOWN
      const history = historyOfClicks(clicks.slice(0, i + 1), index, most)
      return {
        history,
        inSession: history.length,
        country: '',
        context: { ...UNKNOWN_CONTEXT, hour: usualHour(clicks[i].at, '') },
        relevant: new Set([index.get(target.item) ?? UNKNOWN]),
        masked: newest >= 0 ? new Set([newest]) : NOTHING,
        cluster,
      }
    }),
  )
}

/** As of the newest of the clicks. */
function historyOfClicks(clicks: readonly Click[], index: ReadonlyMap<string, number>, most: number): HistoryItem[] {
  const now = clicks[clicks.length - 1].at
  const last = new Map(clicks.toReversed().map(({ item }) => [item, 0]))
  for (const { item, at } of clicks) last.set(item, at)
  return [...last].slice(0, most).flatMap(([id, at]) => {
    const item = index.get(id)
    return item === undefined ? [] : [{ item, deed: VIEWED, age: now - at }]
  })
}

/**
 * Check-ins, one visitor a line: visitor, then items sorted by id, which tells nothing of when. So times are drawn by
 * hash, and each is a session of its own.
 */
export const gowallaSource = (file: string): Source => ({
  name: 'gowalla',
  async load(db) {
    await db.run(`
      CREATE TEMP TABLE gowalla AS
      SELECT row_number() OVER () AS line, string_split(trim(items), ' ') AS part
      FROM read_csv(${quoted(file)}, columns = {items: 'VARCHAR'}, header = false, delim = '\t', quote = '', escape = '', parallel = false)`)
    await db.run(`
      INSERT INTO raw_events
      SELECT line * 100000 + position, NULL, part[1], false, part[position], ${EPOCH} + hash(part[1] || ' ' || part[position]) % ${90 * 86_400},
             'click', part[1] || ' ' || part[position], NULL, NULL, NULL, NULL
      FROM gowalla, unnest(range(2, len(part) + 1)) AS positions(position)`)
    await db.run('DROP TABLE gowalla')
  },
})

/** One query a visitor, from everything they have, as old as training has it; what they have is no answer. */
export function gowallaQueries(testFile: string, train: Dataset): Query[] {
  const index = indexOf(train)
  const visitors = new Map(train.visitors.map((id, visitor) => [id, visitor]))
  const starts = visitorStarts(train)
  return lines(testFile).flatMap((line, cluster) => {
    const [id, ...items] = line.trim().split(' ')
    const visitor = visitors.get(id)
    const distinct = [...new Set(items)]
    if (visitor === undefined || distinct.length === 0) return []
    const history = historyOf(train.deeds, starts[visitor], starts[visitor + 1], Number.POSITIVE_INFINITY, train.to)
    return {
      history,
      inSession: 0,
      country: '',
      context: UNKNOWN_CONTEXT,
      relevant: new Set(distinct.map((item, i) => index.get(item) ?? UNKNOWN - i)),
      masked: new Set(history.map(({ item }) => item)),
      cluster,
    }
  })
}

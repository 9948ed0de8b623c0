import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EVENTS_PREFIX, faultOfLine, quarantineKey, rejectedLine } from '../../shared/quarantine.ts'
import { ITEMS_PREFIX } from '../../shared/schemas/items.ts'
import { type BlobSource, unlessGone } from '../stores/blob-source.ts'

/**
 * Brings the edge's event archive to `directory`, under the same names. Archive files never change, so one that is
 * there already is not fetched again. A line that the contract does not know goes to quarantine instead.
 * @returns the files of events that are there now; how many there are, with those of catalogue changes; how many lines of the
 * new ones did not fit; and how many files had their time, and went, between being listed and being read
 */
export async function fetchEdgeEvents(
  archive: BlobSource,
  directory: string,
  advance: (done: number, total: number) => void,
): Promise<{ events: string[]; files: number; rejected: number; gone: number }> {
  const events = await archive.list(EVENTS_PREFIX)
  const keys = [...events, ...(await archive.list(ITEMS_PREFIX))]
  const gone = new Set<string>()
  let rejected = 0
  for (const [i, key] of keys.entries()) {
    const file = join(directory, key)
    const text = existsSync(file) ? null : await unlessGone(archive, key)
    if (text === null) {
      if (!existsSync(file)) gone.add(key)
    } else {
      const { fit, unfit } = key.startsWith(EVENTS_PREFIX) ? checked(key, text) : { fit: text, unfit: [] }
      rejected += unfit.length
      // Before the file is there, which says that it was dealt with.
      if (unfit.length > 0) await archive.put(nightQuarantineKey(key), new TextEncoder().encode(unfit.join('')))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.part`, fit)
      renameSync(`${file}.part`, file)
    }
    advance(i + 1, keys.length)
  }
  return { events: events.filter((key) => !gone.has(key)), files: keys.length - gone.size, rejected, gone: gone.size }
}

/** Beside the file that the edge may have written for the same posts. */
const nightQuarantineKey = (key: string): string => quarantineKey(key).replace(/\.ndjson$/, '-night.ndjson')

/** When a file's posts came, to the hour; a line that cannot be read does not say it. */
function hourOf(key: string): number {
  const [, day = '', hour = ''] = /date=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\//.exec(key) ?? []
  return Date.parse(`${day}T${hour}:00Z`) || 0
}

function checked(key: string, text: string): { fit: string; unfit: string[] } {
  const fit: string[] = []
  const unfit: string[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue
    const fault = faultOfLine(line)
    if (fault === null) fit.push(`${line}\n`)
    else
      unfit.push(
        rejectedLine(
          fault.value,
          { ...fault.seen, received: fault.seen.received || hourOf(key) },
          { offset: `${key}:${i + 1}`, field: fault.field, detail: fault.detail },
        ),
      )
  }
  return { fit: fit.join(''), unfit }
}

import { createHash } from 'node:crypto'
import { EVENTS_PREFIX, QUARANTINE_PREFIX, replayed } from '../../shared/quarantine.ts'
import type { RejectedRecord } from '../../shared/schemas/events.ts'
import { ITEMS_PREFIX } from '../../shared/schemas/items.ts'
import { InputError } from '../sources/source.ts'
import type { BlobSource } from '../stores/blob-source.ts'

export type QuarantineFile = { name: string; records: RejectedRecord[] }

/** The names of all files, oldest first, without the prefix. */
const namesIn = async (blobs: BlobSource): Promise<string[]> =>
  (await blobs.list(QUARANTINE_PREFIX)).map((key) => key.slice(QUARANTINE_PREFIX.length))

/** Every file, or the one that is named. @throws InputError where there is no such file */
export async function* readQuarantine(blobs: BlobSource, name?: string): AsyncGenerator<QuarantineFile> {
  const names = await namesIn(blobs)
  if (name !== undefined && !names.includes(name))
    throw new InputError(`no quarantine file "${name}"; "npx nightjar quarantine list" names them`)
  for (const one of name === undefined ? names : [name]) {
    const text = new TextDecoder().decode(await blobs.get(QUARANTINE_PREFIX + one))
    yield { name: one, records: linesOf(text).map((line) => JSON.parse(line) as RejectedRecord) }
  }
}

/** How many events went back to the archive, and how many still do not fit. */
export type Replay = { name: string; replayed: number; left: number }

/**
 * Gives what fits by now back to the archive, under the hour it came in, and keeps the rest. The archive is written first,
 * under a name that its content makes: whatever stops this, another run does the same again, and ids count once.
 */
export async function replayFile(blobs: BlobSource, { name, records }: QuarantineFile): Promise<Replay> {
  const tried = records.map((record) => ({ record, result: replayed(record) }))
  const events = tried.flatMap(({ result }) => result?.events ?? [])
  const changes = tried.flatMap(({ result }) => result?.changes ?? [])
  const left = tried.flatMap(({ record, result }) => (result === null ? [record] : []))
  const back = events.length + changes.length
  if (back > 0) {
    await give(blobs, `${EVENTS_PREFIX}${name.replace(/\.ndjson$/, '')}`, events)
    await give(blobs, `${ITEMS_PREFIX}${name.split('/')[0]}/${changes[0]?.received}`, changes)
    if (left.length > 0) await blobs.put(QUARANTINE_PREFIX + name, new TextEncoder().encode(textOf(left)))
    else await blobs.delete([QUARANTINE_PREFIX + name])
  }
  return { name, replayed: back, left: left.length }
}

async function give(blobs: BlobSource, beginning: string, records: readonly object[]): Promise<void> {
  if (records.length === 0) return
  const text = textOf(records)
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  await blobs.put(`${beginning}-replayed-${hash}.ndjson`, new TextEncoder().encode(text))
}

const textOf = (records: readonly object[]): string => records.map((record) => `${JSON.stringify(record)}\n`).join('')

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

import { createHash } from 'node:crypto'
import { EVENTS_PREFIX, QUARANTINE_PREFIX, replayed } from '../../shared/quarantine.ts'
import type { RejectedRecord } from '../../shared/schemas/events.ts'
import { ITEMS_PREFIX } from '../../shared/schemas/items.ts'
import { InputError } from '../sources/source.ts'
import { type BlobSource, unlessGone } from '../stores/blob-source.ts'
import type { Stores } from '../stores/open-stores.ts'
import { archiveParts } from './archive-parts.ts'

/** `path` is its name within its bucket. */
export type QuarantineFile = { name: string; path: string; archive: BlobSource; records: RejectedRecord[] }

/** Every file, oldest first, or the one that is named; those of the EU begin with `eu/`. @throws InputError where there is no such file */
export async function* readQuarantine(stores: Pick<Stores, 'blobs' | 'euBlobs'>, name?: string): AsyncGenerator<QuarantineFile> {
  const files: Omit<QuarantineFile, 'records'>[] = []
  for (const { archive, name: part } of archiveParts(stores, ''))
    for (const key of await archive.list(QUARANTINE_PREFIX)) {
      const path = key.slice(QUARANTINE_PREFIX.length)
      files.push({ name: part + path, path, archive })
    }
  const asked = files.filter((file) => name === undefined || file.name === name)
  if (name !== undefined && asked.length === 0)
    throw new InputError(`no quarantine file "${name}"; "npx nightjar quarantine list" names them`)
  for (const file of asked) {
    const text = await unlessGone(file.archive, QUARANTINE_PREFIX + file.path)
    if (text !== null) yield { ...file, records: linesOf(text).map((line) => JSON.parse(line) as RejectedRecord) }
  }
}

/** How many events went back to the archive, and how many still do not fit. */
export type Replay = { name: string; replayed: number; left: number }

/**
 * Gives what fits by now back to the archive, under the hour it came in, and keeps the rest. The archive is written first,
 * under a name that its content makes: whatever stops this, another run does the same again, and ids count once.
 * @param catalogue the bucket that has the catalogue's log, wherever the file lies
 */
export async function replayFile(catalogue: BlobSource, { name, path, archive, records }: QuarantineFile): Promise<Replay> {
  const tried = records.map((record) => ({ record, result: replayed(record) }))
  const events = tried.flatMap(({ result }) => result?.events ?? [])
  const changes = tried.flatMap(({ result }) => result?.changes ?? [])
  const left = tried.flatMap(({ record, result }) => (result === null ? [record] : []))
  const back = events.length + changes.length
  if (back > 0) {
    await give(archive, `${EVENTS_PREFIX}${path.replace(/\.ndjson$/, '')}`, events)
    await give(catalogue, `${ITEMS_PREFIX}${path.split('/')[0]}/${changes[0]?.received}`, changes)
    if (left.length > 0) await archive.put(QUARANTINE_PREFIX + path, new TextEncoder().encode(textOf(left)))
    else await archive.delete([QUARANTINE_PREFIX + path])
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

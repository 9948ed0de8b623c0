import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { type Erasures, erasuresIn, mergesIn, type Purged, purge } from '../../shared/archive-lines.ts'
import { EVENTS_PREFIX, QUARANTINE_PREFIX } from '../../shared/quarantine.ts'
import type { Retention } from '../../shared/retention.ts'
import { type BlobSource, unlessGone } from '../stores/blob-source.ts'

/** What a night removed from the archive. */
export type Forgotten = { visitors: number; events: number; expired: number; files: number }

/** A part of the archive, and its files, all of which lie in `directory` as well. */
export type CopiedPart = { archive: BlobSource; directory: string; keys: readonly string[] }

/**
 * Removes the events of erased visitors, and those that have had their time, from every part of the archive, from their
 * copies, and from quarantine. Who is erased in one part is erased in all.
 * @param now Unix milliseconds
 */
export async function forgetErased(parts: readonly CopiedPart[], retention: Retention, now: number): Promise<Forgotten> {
  const erasures = readErasures(parts)
  const visitors = new Set<string>()
  const done: Forgotten = { visitors: 0, events: 0, expired: 0, files: 0 }
  for (const part of parts) await forgetIn(part, erasures, retention, now, visitors, done)
  return { ...done, visitors: visitors.size }
}

/** The archive goes first: a night that is killed between the two finds the line in the copy again. */
async function forgetIn(
  { archive, directory, keys }: CopiedPart,
  erasures: Erasures,
  retention: Retention,
  now: number,
  visitors: Set<string>,
  done: Forgotten,
): Promise<void> {
  const apply = async (key: string, text: string): Promise<Purged | null> => {
    const purged = purge(text, erasures, retention, now)
    if (purged.forgotten + purged.expired === 0) return null
    if (purged.text === '') await archive.delete([key])
    else await archive.put(key, new TextEncoder().encode(purged.text))
    for (const visitor of purged.visitors) visitors.add(visitor)
    done.events += purged.forgotten
    done.expired += purged.expired
    done.files++
    return purged
  }
  for (const key of keys) {
    const file = join(directory, key)
    const purged = await apply(key, readFileSync(file, 'utf8'))
    if (purged === null) continue
    if (purged.text === '') rmSync(file)
    else {
      writeFileSync(`${file}.part`, purged.text)
      renameSync(`${file}.part`, file)
    }
  }
  for (const key of await archive.list(QUARANTINE_PREFIX)) {
    const text = await unlessGone(archive, key)
    if (text !== null) await apply(key, text)
  }
}

/**
 * Every erasure that stands in the archive; of several of one visitor, the one that reaches furthest. Who is erased as the
 * user they logged in as is erased as the stranger they were before.
 */
function readErasures(parts: readonly CopiedPart[]): Map<string, number> {
  const erasures = new Map<string, number>()
  const merges: [from: string, into: string][] = []
  const erase = (visitor: string, until: number): unknown => erasures.set(visitor, Math.max(until, erasures.get(visitor) ?? 0))
  for (const { directory, keys } of parts)
    for (const key of keys) {
      const text = readFileSync(join(directory, key), 'utf8')
      for (const [visitor, until] of erasuresIn(text)) erase(visitor, until)
      merges.push(...mergesIn(text))
    }
  for (const [from, into] of merges) {
    const until = erasures.get(into)
    if (until !== undefined) erase(from, until)
  }
  return erasures
}

/** What is gone from the archive must not live on in a copy of it: another machine, or the cron, may have removed it. */
export function dropStrays(directory: string, keys: readonly string[]): number {
  const folder = join(directory, EVENTS_PREFIX)
  if (!existsSync(folder)) return 0
  const kept = new Set(keys)
  const strays = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${EVENTS_PREFIX}${name.split(sep).join('/')}`)
    .filter((key) => key.endsWith('.ndjson') && !kept.has(key))
  for (const key of strays) rmSync(join(directory, key))
  return strays.length
}

import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BlobSource } from '../stores/blob-source.ts'

export const EVENTS_PREFIX = 'events/'

/**
 * Brings the edge's event archive to `directory`, under the same names. Archive files never change, so one that is
 * there already is not fetched again. @returns how many files the archive has
 */
export async function fetchEdgeEvents(
  archive: BlobSource,
  directory: string,
  advance: (done: number, total: number) => void,
): Promise<number> {
  const keys = await archive.list(EVENTS_PREFIX)
  for (const [i, key] of keys.entries()) {
    const file = join(directory, key)
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.part`, await archive.get(key))
      renameSync(`${file}.part`, file)
    }
    advance(i + 1, keys.length)
  }
  return keys.length
}

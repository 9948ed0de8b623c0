import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { InputError } from '../sources/source.ts'
import { prepareFolder } from '../stores/local-folder.ts'

/** A database that nothing holds on to would be closed by the garbage collector, and the lock with it. */
const held = new Set<DatabaseSync>()

/**
 * Two nights on one machine would write over each other's checkpoints and local KV. The lock is SQLite's on a database beside
 * `file`: the system takes it back whatever ends the process, so that none is ever left for two nights to find at once. `file`
 * only tells who has it. @returns the release of the lock @throws InputError while another night has it
 */
export function takeLock(file: string): () => void {
  prepareFolder(dirname(file))
  const lock = new DatabaseSync(`${file}.sqlite`, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isTaken(error)) throw error
    throw new InputError(`another night${holderOf(file)} is running; wait for it or stop it`)
  }
  held.add(lock)
  writeFileSync(file, String(process.pid))
  return () => {
    rmSync(file, { force: true })
    lock.close()
    held.delete(lock)
  }
}

const SQLITE_BUSY = 5

const isTaken = (error: unknown): boolean => error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY

function holderOf(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8')})`
  } catch {
    return ''
  }
}

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { InputError } from '../sources/source.ts'
import { prepareFolder } from '../stores/local-folder.ts'

/** Two nights on one machine would write over each other's checkpoints and local KV. @returns the release of the lock */
export function takeLock(file: string): () => void {
  prepareFolder(dirname(file))
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  } catch {
    const holder = holderOf(file)
    if (isRunning(holder)) throw new InputError(`another night (process ${holder}) is running; wait for it or stop it`)
    writeFileSync(file, String(process.pid))
  }
  return () => rmSync(file, { force: true })
}

function holderOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return 0
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

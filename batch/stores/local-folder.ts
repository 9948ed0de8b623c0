import { accessSync, constants, mkdirSync, statfsSync } from 'node:fs'
import { InputError } from '../sources/source.ts'

/** Local SQLite that cannot grow takes the whole process down with it. */
const LEAST_FREE_MB = 8

/**
 * Makes sure that a folder is there and can be worked in, before something that would hang or crash finds out.
 * @throws InputError with one line that says what to do
 */
export function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? error.code : error
    throw new InputError(`${folder}: this folder cannot be made or written (${reason}); give another with --directory`)
  }
  const { bavail, bsize } = statfsSync(folder)
  const free = (bavail * bsize) / 2 ** 20
  if (free < LEAST_FREE_MB)
    throw new InputError(
      `${folder}: the disk is full (${free.toFixed(1)} MB left, ${LEAST_FREE_MB} needed); make room, or give another with --directory`,
    )
}

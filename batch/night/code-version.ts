import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
/** Where code stands that can change what a release says. */
const FOLDERS = ['shared', 'batch/kernels', 'batch/learn', 'batch/ranker', 'batch/release']

/** Hash of that code: part of a release's lineage, and of what a checkpoint depends on. */
export function codeVersion(): string {
  const hash = createHash('sha256')
  for (const folder of FOLDERS) {
    for (const file of readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()) {
      hash.update(file).update(readFileSync(join(ROOT, folder, file)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

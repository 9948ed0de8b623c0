import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Dataset } from '../../../batch/dataset.ts'
import { ingest } from '../../../batch/ingest.ts'
import type { Source } from '../../../batch/sources/source.ts'

export type SourcesFolder = {
  folder: string
  read(sources: Source[], threads?: number): Promise<Dataset>
  /** @returns the file's path */
  write(name: string, content: string | Uint8Array): string
}

/** A folder for the files that a test file reads as sources; it goes when the last test has ended. */
export function sourcesFolder(): SourcesFolder {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-sources-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    read: (sources, threads = 2) => ingest(sources, { threads, workDirectory: folder }),
    write(name, content) {
      writeFileSync(join(folder, name), content)
      return join(folder, name)
    },
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { edge } from './edge.ts'
import { type FileOptions, files } from './files.ts'
import { movieTweetings } from './movietweetings.ts'
import { onlineRetail } from './online-retail.ts'
import { shop } from './shop.ts'
import { InputError, type Source } from './source.ts'

export type SourceOptions = FileOptions & {
  /** Folder of a named data set. */
  data?: string
  /** Where generated files live. */
  directory: string
}

export const sourceNames = ['shop', 'csv', 'edge', 'online-retail', 'movietweetings']

/** Which options only one kind of source understands. @throws InputError for one that would be left unheard */
export function checkOptions(source: string, options: Omit<SourceOptions, 'directory'>): void {
  for (const name of ['events', 'items', 'mapping'] as const)
    if (options[name] !== undefined && source !== 'csv') throw new InputError(`--${name} goes with --source csv, not with ${source}`)
  if (options.data !== undefined && ['shop', 'csv'].includes(source)) throw new InputError(`--data does not go with --source ${source}`)
}

const ROOT = join(import.meta.dirname, '../..')
/** Where the named data sets are looked for beside the project. */
const DATA = join(ROOT, '../shared/data')
/** A made-up look-alike that ships with the project, for machines without the real file. */
const RETAIL_SLICE = join(ROOT, 'test/batch/fixtures/online-retail-slice.csv.gz')

/** @throws InputError for an unknown name or a data set that is not there */
export function openSource(name: string, options: SourceOptions): Source {
  switch (name) {
    case 'shop':
      return shop(join(options.directory, 'shop'), Date.now())
    case 'csv':
      return files(options)
    case 'edge':
      return edge(options.data ?? join(options.directory, 'edge-events'))
    case 'online-retail':
      return onlineRetail(retailFile(options.data))
    case 'movietweetings':
      return movieTweetings(
        dataFile(options.data ?? join(DATA, 'movietweetings-100k'), 'ratings.dat.gz'),
        dataFile(options.data ?? join(DATA, 'movietweetings-100k'), 'movies.dat.gz'),
      )
    default:
      throw new InputError(`no source "${name}"; there are ${sourceNames.join(', ')}`)
  }
}

export function retailFile(folder: string | undefined): string {
  if (folder !== undefined) return dataFile(folder, 'online_retail.csv.gz')
  const real = join(DATA, 'online-retail/online_retail.csv.gz')
  return existsSync(real) ? real : RETAIL_SLICE
}

function dataFile(folder: string, name: string): string {
  const file = join(folder, name)
  if (!existsSync(file)) throw new InputError(`${file}: no such file; --data FOLDER says where the data set lies`)
  return file
}

import { resolve } from 'node:path'
import { InputError } from '../sources/source.ts'
import { readDevServer } from '../stores/dev-server.ts'

/** The edge a command talks to. @throws InputError when none is named and none runs here */
export function edgeUrl({ url, directory }: { url?: string; directory: string }): string {
  const found = url ?? readDevServer(resolve(directory))?.url
  if (found === undefined) throw new InputError('no edge is running here; start one with "npm start", or name one with --url')
  return found.replace(/\/$/, '')
}

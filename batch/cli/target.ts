import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { findTarget, openStores, type Stores } from '../stores/open-stores.ts'

export type TargetOptions = { remote?: true; directory: string }

/** The project's folder for everything generated: local KV and R2, the shop, checkpoints. */
export const DEFAULT_DIRECTORY = join(import.meta.dirname, '../../.nightjar')

/** Which KV and R2 a command works on; the same two options everywhere. */
export function withTarget(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--remote',
        'work on Cloudflare through its REST API (CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID) instead of local state',
      ),
    )
    .addOption(new Option('--directory <folder>', 'where local state and generated files live').default(DEFAULT_DIRECTORY, '.nightjar'))
}

export const openTarget = async (options: TargetOptions): Promise<Stores> =>
  openStores(await findTarget({ remote: options.remote === true, directory: resolve(options.directory) }))

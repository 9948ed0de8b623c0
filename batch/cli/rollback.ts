import { Command } from 'commander'
import { pointAt } from '../release/publish.ts'
import { readChannel, releaseBefore } from '../release/release-store.ts'
import { InputError } from '../sources/source.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'

export const rollbackCommand = (): Command =>
  withTarget(
    new Command('rollback')
      .description('serve an earlier release again; only the pointer moves')
      .argument('[release]', 'which one; the one before the live one where none is named'),
  ).action(async (release: string | undefined, options: TargetOptions) => {
    const stores = await openTarget(options)
    try {
      const channel = await readChannel(stores.kv)
      if (channel === null && release === undefined)
        throw new InputError('no release is live; "nightjar releases" lists those in KV, and "nightjar rollback <release>" serves one')
      const target = release ?? (channel === null ? undefined : await releaseBefore(stores.kv, channel.stable.release))
      if (target === undefined) throw new InputError('there is no release before the live one; "nightjar releases" lists those in KV')
      if (target === channel?.stable.release) throw new InputError(`release ${target} is live already`)
      await pointAt(stores.kv, channel, target, Date.now())
      const before = channel === null ? '' : `; ${channel.stable.release} was`
      process.stdout.write(`Release ${target} is live${before}. Edges follow within about a minute.\n`)
    } finally {
      await stores.close()
    }
  })

import { Command } from 'commander'
import { recordFor } from '../night/audit.ts'
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
      // Serving comes first: what fails from here on is told, and undoes nothing.
      const rolledBack = { ...(channel !== null && { from: channel.stable.release }), to: target }
      const failure = await recordFor(
        'operator',
        stores.blobs,
        { action: 'admin', actor: 'operator', detail: rolledBack },
        Date.now(),
      ).then(
        () => null,
        (error: unknown) => error,
      )
      process.stdout.write(`Release ${target} is live${before}. Edges follow within about a minute.\n`)
      if (failure !== null)
        throw new Error(`it is live, but not on record: ${failure instanceof Error ? failure.message : String(failure)}`)
    } finally {
      await stores.close()
    }
  })

import { Command } from 'commander'
import { releaseBytes } from '../night/gates.ts'
import { keptReleases, readChannel } from '../release/release-store.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'

type ReleasesOptions = TargetOptions & { json?: true }

export const releasesCommand = (): Command =>
  withTarget(new Command('releases').description('list the releases in KV and say which is live').option('--json', 'print JSON')).action(
    async (options: ReleasesOptions) => {
      const stores = await openTarget(options)
      try {
        const channel = await readChannel(stores.kv)
        const rows = (await keptReleases(stores.kv)).map(({ release, manifest, publishedAt }) => ({
          release,
          state: release === channel?.stable.release ? 'stable' : release === channel?.previous?.release ? 'previous' : '',
          published: new Date(publishedAt).toISOString(),
          source: manifest.lineage.source,
          items: manifest.items,
          events: manifest.lineage.events,
          kilobytes: Math.round(releaseBytes(manifest) / 1024),
          ndcg: manifest.metrics['served.ndcg@20'] ?? null,
        }))
        if (options.json) process.stdout.write(`${JSON.stringify(rows)}\n`)
        else if (rows.length === 0) process.stdout.write('No release yet; "npx nightjar nightly" makes one.\n')
        else console.table(Object.fromEntries(rows.map(({ release, ...row }) => [release, row])))
      } finally {
        await stores.close()
      }
    },
  )

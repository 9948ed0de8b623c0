import { Command } from 'commander'
import type { ChannelEntry } from '../../shared/release/manifest.ts'
import { readRelease } from '../release/read-release.ts'
import { keptReleases, readChannel } from '../release/release-store.ts'
import { InputError } from '../sources/source.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'
import { wholeNumber } from './whole-number.ts'

type ShowOptions = TargetOptions & { item?: string; region?: string; limit: number; json?: true }

export const showCommand = (): Command =>
  withTarget(
    new Command('show')
      .description('look into a release: what it is made of, a region’s list, an item’s neighbours')
      .argument('[release]', 'which one; the live one where none is named')
      .option('--item <id>', 'the neighbours of this item')
      .option('--region <code>', 'the list of this region, such as GB, @EU or *')
      .option('--limit <n>', 'how many rows', wholeNumber(1, 1000), 10)
      .option('--json', 'print JSON'),
  ).action(async (release: string | undefined, options: ShowOptions) => {
    const stores = await openTarget(options)
    try {
      const entry = await entryOf(stores.kv, release)
      const shown = options.item === undefined && options.region === undefined ? entry.manifest : await rowsOf(stores.kv, entry, options)
      if (options.json || !Array.isArray(shown)) process.stdout.write(`${JSON.stringify(shown, null, options.json ? 0 : 2)}\n`)
      else console.table(shown)
    } finally {
      await stores.close()
    }
  })

async function entryOf(kv: KvSink, release: string | undefined): Promise<ChannelEntry> {
  const entry = release === undefined ? (await readChannel(kv))?.stable : (await keptReleases(kv)).find((kept) => kept.release === release)
  if (entry === undefined)
    throw new InputError(
      release === undefined ? 'nothing has been published yet' : `no release ${release} in KV; "nightjar releases" lists them`,
    )
  return entry
}

type ShownRow = { id: string; title: string; similar?: number; together?: number; score?: number }

async function rowsOf(kv: KvSink, { release, manifest }: ChannelEntry, { item, region, limit }: ShowOptions): Promise<ShownRow[]> {
  const { view, item: itemOf } = await readRelease(kv, { release, manifest })
  const named = (index: number): { id: string; title: string } => {
    const { id, values } = itemOf(index)
    return { id, title: values.title ?? '' }
  }
  if (item !== undefined) {
    const index = Array.from({ length: view.core.items }, (_, i) => i).find((i) => named(i).id === item)
    if (index === undefined) throw new InputError(`release ${release} has no item "${item}"`)
    const row = view.neighbours(index)
    if (row === undefined) return []
    return Array.from(row.items.subarray(row.from, row.to), (other, i) => ({
      ...named(other),
      similar: Number((row.similar[row.from + i] * row.similarScale).toFixed(4)),
      together: Number((row.together[row.from + i] * row.togetherScale).toFixed(4)),
    })).slice(0, limit)
  }
  const list = view.list(region ?? '*', -1)
  if (list === undefined)
    throw new InputError(
      `release ${release} has no list for "${region}"; it has ${manifest.lists.flatMap((pack) => pack.regions).join(', ')}`,
    )
  return Array.from(list.items, (index, i) => ({ ...named(index), score: Number((list.scores[i] * list.scale).toFixed(6)) })).slice(
    0,
    limit,
  )
}

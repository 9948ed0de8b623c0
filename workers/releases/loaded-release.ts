import { FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import { RecallSpace } from '../../shared/ranking/recall-space.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { AVAILABLE, type Core, NEW, openCore } from '../../shared/release/core-pack.ts'
import type { ChannelEntry, Manifest } from '../../shared/release/manifest.ts'
import { openModel } from '../../shared/release/model-pack.ts'
import { type Background, behind } from '../background.ts'
import { warn } from '../log.ts'
import type { WantedRegions } from './current.ts'
import { isolate } from './isolate.ts'
import { PackReader, type PackRows, packRows, readPack } from './pack-reader.ts'

/** The release that is live, and the one before it while requests still hold it. */
const MOST_RELEASES = 2

/**
 * A release whose resident part (core and model) is read. Other packs come as requests need them: `load…` brings them to the
 * isolate, the view then sees them without waiting.
 */
export type LoadedRelease = ReleaseView &
  PackRows & {
    /** Null where the model cannot be read, or was made for another Worker: the merged score then decides. */
    weights: Weights | null
    space: RecallSpace
    /** Regions that have lists. */
    regions: ReadonlySet<string>
    /** Ends, without ever failing, when everything else that is read with the core has come or cannot be read. */
    prefetched: Promise<void>
    /** Items flagged as new. */
    newItems: readonly number[]
    /** Every item, the most popular first: what is left to show when lists end. */
    byPopularity(): readonly number[]
  }

/** @throws PackError or TooLate where the release cannot be used */
export async function loadRelease(env: Env, ctx: Background, entry: ChannelEntry, wanted: WantedRegions): Promise<LoadedRelease> {
  const known = isolate.releases.get(entry.release)
  if (known !== undefined) return known
  return isolate.reads.get(ctx, `release/${entry.release}`, async () => {
    const loaded = await load(env, behind(ctx), entry, wanted)
    isolate.releases.set(entry.release, loaded)
    for (const oldest of isolate.releases.keys()) {
      if (isolate.releases.size <= MOST_RELEASES) break
      isolate.releases.delete(oldest)
    }
    return loaded
  })
}

async function load(env: Env, ctx: Background, { release, manifest }: ChannelEntry, wanted: WantedRegions): Promise<LoadedRelease> {
  const regions = new Set(manifest.lists.flatMap((pack) => pack.regions))
  const reader = new PackReader(env, isolate.packs)
  const prefetched = prefetch(ctx, reader, manifest, wanted(regions))
  const [core, weights] = await Promise.all([
    readPack(env, manifest.core.hash).then((buffer) => openCore(buffer, manifest.core.hash)),
    readWeights(env, manifest),
  ])
  return assembled({ release, manifest }, { core, weights, regions, prefetched }, reader)
}

/** A release of what was read of it. */
export const assembled = (
  { release, manifest }: ChannelEntry,
  read: Pick<LoadedRelease, 'core' | 'weights' | 'regions' | 'prefetched'>,
  reader: PackReader,
): LoadedRelease => ({
  release,
  manifest,
  ...read,
  space: new RecallSpace(read.core.items, true),
  newItems: newItemsOf(read.core),
  byPopularity: popularityOrder(read.core),
  ...packRows(reader, manifest, read.core),
})

/** Until the first night after an update a release may have a model that this Worker cannot use: all else in it is as good as ever. */
const fitsHere = ({ featureSet, graph }: Manifest): boolean => featureSet === FEATURE_SET && graph === GRAPH_HASH

async function readWeights(env: Env, manifest: Manifest): Promise<Weights | null> {
  const { model } = manifest
  if (!fitsHere(manifest)) {
    warn('model-not-for-this-worker', new Error('it was made for other features or another graph'))
    return null
  }
  try {
    return await openModel(await readPack(env, model.hash), model.hash)
  } catch (error) {
    warn('model-unreadable', error)
    return null
  }
}

/**
 * What most requests need beside core and model: the lists, and the first pack of neighbours and of display rows, where the
 * night puts all of a small catalogue. What fails here fails again, and is judged, where it is needed.
 */
async function prefetch(ctx: Background, reader: PackReader, manifest: Manifest, regions: readonly string[]): Promise<void> {
  await Promise.allSettled([
    ...manifest.lists.filter((pack) => pack.regions.some((region) => regions.includes(region))).map((pack) => reader.lists(ctx, pack)),
    ...manifest.neighbours.slice(0, 1).map((pack) => reader.neighbours(ctx, pack)),
    ...manifest.display.slice(0, 1).map((pack) => reader.display(ctx, pack)),
  ])
}

/** Flags have no other bits. The platform finds the few that are new; a loop over all items is one that V8 optimises in vain. */
function newItemsOf({ flags }: Core): number[] {
  const found: number[] = []
  for (const flagged of [NEW, NEW | AVAILABLE])
    for (let item = flags.indexOf(flagged); item >= 0; item = flags.indexOf(flagged, item + 1)) found.push(item)
  return found.sort((a, b) => a - b)
}

/** Made when first needed: most requests never come to the end of a list. */
function popularityOrder({ items, popularity, flags }: Core): () => readonly number[] {
  let order: number[] | undefined
  return () => {
    order ??= Array.from({ length: items }, (_, item) => item).sort(
      (a, b) => (flags[b] & AVAILABLE) - (flags[a] & AVAILABLE) || popularity[b] - popularity[a] || a - b,
    )
    return order
  }
}

import { RecallSpace } from '../../shared/ranking/candidates.ts'
import { FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { AVAILABLE, type Core, NEW, openCore } from '../../shared/release/core-pack.ts'
import { type ChannelEntry, type Manifest, ManifestError } from '../../shared/release/manifest.ts'
import { openModel } from '../../shared/release/model-pack.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import type { WantedRegions } from './current.ts'
import { isolate } from './isolate.ts'
import { PackReader, type PackRows, packRows, readPack } from './pack-reader.ts'

/** The release that is live, and the one before it while requests still hold it. */
const MOST_RELEASES = 2
/** A release with no more neighbour and display packs than this is read whole, in the round that reads its core. */
const FEW_PACKS = 12

/**
 * A release whose resident part (core and model) is read. Other packs come as requests need them: `load…` brings them to the
 * isolate, the view then sees them without waiting.
 */
export type LoadedRelease = ReleaseView &
  PackRows & {
    /** Null where the model cannot be read: the merged score then decides. */
    weights: Weights | null
    space: RecallSpace
    /** Regions that have lists. */
    regions: ReadonlySet<string>
    /** Items flagged as new. */
    newItems: readonly number[]
    /** Every item, the most popular first: what is left to show when lists end. */
    byPopularity(): readonly number[]
  }

/** @throws PackError, ManifestError or TooLate where the release cannot be used */
export async function loadRelease(env: Env, ctx: Background, entry: ChannelEntry, wanted: WantedRegions): Promise<LoadedRelease> {
  const known = isolate.releases.get(entry.release)
  if (known !== undefined) return known
  const loaded = await isolate.reads.get(ctx, `release/${entry.release}`, () => load(env, ctx, entry, wanted))
  isolate.releases.set(entry.release, loaded)
  for (const oldest of isolate.releases.keys()) {
    if (isolate.releases.size <= MOST_RELEASES) break
    isolate.releases.delete(oldest)
  }
  return loaded
}

async function load(env: Env, ctx: Background, { release, manifest }: ChannelEntry, wanted: WantedRegions): Promise<LoadedRelease> {
  if (manifest.featureSet !== FEATURE_SET) throw new ManifestError(`release ${release} was trained on other features`)
  if (manifest.graph !== GRAPH_HASH) throw new ManifestError(`release ${release} was made for another ranker graph`)
  const regions = new Set(manifest.lists.flatMap((pack) => pack.regions))
  const reader = new PackReader(env)
  const [core, weights] = await Promise.all([
    readPack(env, manifest.core.hash).then((buffer) => openCore(buffer, manifest.core.hash)),
    readWeights(env, manifest),
    prefetch(ctx, reader, manifest, wanted(regions)),
  ])
  return {
    release,
    manifest,
    core,
    weights,
    space: new RecallSpace(core.items),
    regions,
    newItems: newItemsOf(core),
    byPopularity: popularityOrder(core),
    ...packRows(reader, manifest, core),
  }
}

async function readWeights(env: Env, { model }: Manifest): Promise<Weights | null> {
  try {
    return await openModel(await readPack(env, model.hash), model.hash)
  } catch (error) {
    warn('model-unreadable', error)
    return null
  }
}

/** What fails here fails again, and is judged, where it is needed. */
async function prefetch(ctx: Background, reader: PackReader, manifest: Manifest, regions: readonly string[]): Promise<void> {
  const few = manifest.neighbours.length + manifest.display.length <= FEW_PACKS
  await Promise.allSettled([
    ...manifest.lists.filter((pack) => pack.regions.some((region) => regions.includes(region))).map((pack) => reader.lists(ctx, pack)),
    ...(few ? manifest.neighbours.map((pack) => reader.neighbours(ctx, pack)) : []),
    ...(few ? manifest.display.map((pack) => reader.display(ctx, pack)) : []),
  ])
}

const newItemsOf = (core: Core): number[] => Array.from(core.flags.keys()).filter((item) => (core.flags[item] & NEW) !== 0)

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

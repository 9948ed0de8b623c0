import { RecallSpace } from '../../shared/ranking/candidates.ts'
import { FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { PackError } from '../../shared/release/container.ts'
import { type Core, NEW, openCore } from '../../shared/release/core-pack.ts'
import { type DisplayPack, openDisplay } from '../../shared/release/display-pack.ts'
import { packKey } from '../../shared/release/keys.ts'
import { type ListPack, openLists } from '../../shared/release/list-pack.ts'
import { type ChannelEntry, type Manifest, ManifestError, packOfSlot } from '../../shared/release/manifest.ts'
import { type MemberPack, memberSlot, openMembers } from '../../shared/release/member-pack.ts'
import { openModel } from '../../shared/release/model-pack.ts'
import { type NeighbourPack, openNeighbours } from '../../shared/release/neighbour-pack.ts'
import { isolate } from './isolate.ts'

type PackName = { hash: string; bytes: number }

/** Packs are immutable under their name: KV's edge cache may keep them as long as it likes. */
const KV_CACHE_SECONDS = 86_400
/** The release that is live, and the one before it while requests still hold it. */
const MOST_RELEASES = 2

/**
 * A release whose resident part (core and model) is read. Other packs come as requests need them: `load…` brings them to the
 * isolate, the view then sees them without waiting.
 */
export type LoadedRelease = ReleaseView & {
  weights: Weights
  space: RecallSpace
  /** Regions that have lists. */
  regions: ReadonlySet<string>
  /** Items flagged as new. */
  newItems: readonly number[]
  loadLists(regions: readonly string[]): Promise<void>
  /** @returns whether every pack could be read */
  loadNeighbours(items: readonly number[]): Promise<boolean>
  loadDisplay(items: readonly number[]): Promise<void>
  /** @throws PackError where the item's display pack was not loaded */
  display(item: number): { id: string; json: string }
  displayAtHand(item: number): { id: string; json: string } | undefined
  member(visitor: string): Promise<ArrayLike<number> | undefined>
}

/** @throws PackError or ManifestError where the release cannot be used */
export function loadRelease(env: Env, entry: ChannelEntry): Promise<LoadedRelease> {
  const known = isolate.releases.get(entry.release)
  if (known !== undefined) return known
  const loading = load(env, entry)
  isolate.releases.set(entry.release, loading)
  loading.catch(() => isolate.releases.delete(entry.release))
  for (const oldest of isolate.releases.keys()) {
    if (isolate.releases.size <= MOST_RELEASES) break
    isolate.releases.delete(oldest)
  }
  return loading
}

async function load(env: Env, { release, manifest }: ChannelEntry): Promise<LoadedRelease> {
  if (manifest.featureSet !== FEATURE_SET) throw new ManifestError(`release ${release} was trained on other features`)
  if (manifest.graph !== GRAPH_HASH) throw new ManifestError(`release ${release} was made for another ranker graph`)
  const [core, weights] = await Promise.all([
    readPack(env, manifest.core).then((buffer) => openCore(buffer, manifest.core.hash)),
    readPack(env, manifest.model).then((buffer) => openModel(buffer, manifest.model.hash)),
  ])
  return {
    release,
    manifest,
    core,
    weights,
    space: new RecallSpace(core.items),
    regions: regionsOf(manifest),
    newItems: newItemsOf(core),
    ...readers(env, manifest, core),
  }
}

const regionsOf = (manifest: Manifest): Set<string> => new Set(manifest.lists.flatMap((pack) => pack.regions))

const newItemsOf = (core: Core): number[] => Array.from(core.flags.keys()).filter((item) => (core.flags[item] & NEW) !== 0)

async function readPack(env: Env, { hash }: { hash: string }): Promise<ArrayBuffer> {
  const buffer = await env.RELEASES.get(packKey(hash), { type: 'arrayBuffer', cacheTtl: KV_CACHE_SECONDS })
  if (buffer === null) throw new PackError('truncated', `pack ${hash} is not in KV`)
  return buffer
}

type Readers = Pick<
  LoadedRelease,
  'neighbours' | 'list' | 'loadLists' | 'loadNeighbours' | 'loadDisplay' | 'display' | 'displayAtHand' | 'member'
>

function readers(env: Env, manifest: Manifest, core: Core): Readers {
  const open = <T>(name: PackName, decode: (buffer: ArrayBuffer, hash: string) => Promise<T>): Promise<T> =>
    isolate.packs.get(name.hash, name.bytes, async () => decode(await readPack(env, name), name.hash))
  const packsOf = <P extends { first: number }>(packs: readonly P[], items: readonly number[]): P[] =>
    packs.length === 0 ? [] : [...new Set(items.map((item) => packs[packOfSlot(packs, core.slot[item])]))]
  const listPack = (region: string): PackName | undefined => manifest.lists.find((pack) => pack.regions.includes(region))
  const displayAtHand = (item: number): { id: string; json: string } | undefined => {
    const [name] = packsOf(manifest.display, [item])
    const pack = isolate.packs.peek<DisplayPack>(name.hash)
    return pack && { id: pack.id(core.slot[item]), json: pack.json(core.slot[item]) }
  }
  return {
    neighbours(item) {
      const [name] = packsOf(manifest.neighbours, [item])
      return isolate.packs.peek<NeighbourPack>(name.hash)?.row(core.slot[item])
    },
    list(region, cohort) {
      const name = listPack(region)
      return name && isolate.packs.peek<ListPack>(name.hash)?.get(region, cohort)
    },
    async loadLists(regions) {
      const names = new Set(regions.map(listPack).filter((name) => name !== undefined))
      await Promise.all([...names].map((name) => open(name, openLists)))
    },
    async loadNeighbours(items) {
      const read = await Promise.allSettled(packsOf(manifest.neighbours, items).map((name) => open(name, openNeighbours)))
      return read.every(({ status }) => status === 'fulfilled')
    },
    async loadDisplay(items) {
      await Promise.all(packsOf(manifest.display, items).map((name) => open(name, openDisplay)))
    },
    display(item) {
      const shown = displayAtHand(item)
      if (shown === undefined) throw new PackError('truncated', `the display pack of item ${item} is not at hand`)
      return shown
    },
    displayAtHand,
    async member(visitor) {
      if (manifest.members.length === 0) return undefined
      const name = manifest.members[packOfSlot(manifest.members, memberSlot(visitor))]
      const pack: MemberPack = await open(name, openMembers)
      return pack.get(visitor)
    },
  }
}

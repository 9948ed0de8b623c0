import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { PackError } from '../../shared/release/container.ts'
import type { Core } from '../../shared/release/core-pack.ts'
import { type DisplayPack, openDisplay } from '../../shared/release/display-pack.ts'
import { packKey } from '../../shared/release/keys.ts'
import { type ListPack, openLists } from '../../shared/release/list-pack.ts'
import { type Manifest, packOfSlot } from '../../shared/release/manifest.ts'
import { type MemberPack, type MemberRow, memberSlot, openMembers } from '../../shared/release/member-pack.ts'
import { type NeighbourPack, openNeighbours } from '../../shared/release/neighbour-pack.ts'
import { type Background, leaving } from '../background.ts'
import type { Reading } from '../reading.ts'
import { isolate } from './isolate.ts'
import type { PackCache } from './pack-cache.ts'

type PackName = { hash: string; bytes: number }
type Decode<T> = (buffer: ArrayBuffer, hash: string) => Promise<T>

/** Packs are immutable under their name: KV's edge cache may keep them as long as it likes. */
const KV_CACHE_SECONDS = 86_400

/** Without lists or neighbours there is another order; without display rows there is no answer from this release. */
const FOR_DISPLAY = 0.25

/**
 * A miss is kept as long as a value would be, and a pack may come here later than the pointer that leads to it: asked for once
 * more with this, it is missing for half a minute instead of a day.
 */
const MISS_CACHE_SECONDS = 30

/** @throws PackError where KV has no such pack */
export async function readPack(env: Env, hash: string): Promise<ArrayBuffer> {
  const read = (cacheTtl: number): Promise<ArrayBuffer | null> => env.RELEASES.get(packKey(hash), { type: 'arrayBuffer', cacheTtl })
  const buffer = (await read(KV_CACHE_SECONDS)) ?? (await read(MISS_CACHE_SECONDS))
  if (buffer === null) throw new PackError('truncated', `pack ${hash} is not in KV`)
  return buffer
}

/** Brings packs to the isolate, each read once and its hash checked. All throw PackError or TooLate. */
export class PackReader {
  private readonly env: Env | null
  /** What was brought. */
  readonly packs: PackCache

  /** @param env null where every pack that will be asked for is there already */
  constructor(env: Env | null, packs: PackCache) {
    this.env = env
    this.packs = packs
  }

  lists = (ctx: Background, name: PackName): Reading<ListPack> => this.open(ctx, name, openLists, FOR_DISPLAY)
  neighbours = (ctx: Background, name: PackName): Reading<NeighbourPack> => this.open(ctx, name, openNeighbours, FOR_DISPLAY)
  display = (ctx: Background, name: PackName): Reading<DisplayPack> => this.open(ctx, name, openDisplay)
  members = (ctx: Background, name: PackName): Reading<MemberPack> => this.open(ctx, name, openMembers)

  private open<T>(ctx: Background, { hash, bytes }: PackName, decode: Decode<T>, left = 0): Reading<T> {
    const present = this.packs.want<T>(hash)
    if (present !== undefined) return present
    const { env } = this
    if (env === null) throw new PackError('truncated', `pack ${hash} is not there`)
    return isolate.reads.get(leaving(left, ctx), packKey(hash), async () => {
      const pack = await decode(await readPack(env, hash), hash)
      this.packs.add(hash, pack, bytes)
      return pack
    })
  }
}

/** What an answer says of an item, in pieces of JSON as long as they can be: each that is put to the answer is an object. */
export type DisplayRow = {
  id: string
  /** The item's values. */
  json: string
  /** Of a shown item, what comes before its score, and what comes after its reasons. */
  head: string
  tail: string
  /** The reasons that name the item. */
  similarTo: string
  boughtWith: string
}

/** @param json the item's values as JSON text */
export function displayRow(id: string, json: string): DisplayRow {
  const { title }: { title?: string } = JSON.parse(json)
  const idJson = JSON.stringify(id)
  const named = `"item":${idJson}${title === undefined ? '' : `,"title":${JSON.stringify(title)}`}}`
  return {
    id,
    json,
    head: `{"id":${idJson},"score":`,
    tail: `,"values":${json}}`,
    similarTo: `{"code":"similar-to",${named}`,
    boughtWith: `{"code":"bought-with",${named}`,
  }
}

/** So many rows stay decoded, of those asked for last: a few items are in most answers. */
const DECODED_ROWS = 4096

/** A release's rows outside its core: what was loaded is seen without waiting. */
export type PackRows = Pick<ReleaseView, 'neighbours' | 'list'> & {
  /** @returns whether every pack could be read */
  loadLists(ctx: Background, regions: readonly string[]): Reading<boolean>
  /** @returns whether every pack could be read */
  loadNeighbours(ctx: Background, items: readonly number[]): Reading<boolean>
  /** @throws PackError or TooLate */
  loadDisplay(ctx: Background, items: readonly number[]): Reading<unknown>
  /** @throws PackError where the item's display pack was not loaded */
  display(item: number): DisplayRow
  /** The imported history of a visitor, by their pseudonym. @throws PackError or TooLate */
  member(ctx: Background, visitor: string): Promise<MemberRow | undefined>
}

export function packRows(reader: PackReader, manifest: Manifest, core: Core): PackRows {
  const decoded = new Map<number, DisplayRow>()
  const packOf = <P extends { first: number }>(packs: readonly P[], item: number): P | undefined =>
    packs.length === 0 ? undefined : packs[packOfSlot(packs, core.slot[item])]
  const packsOf = <P extends { first: number }>(packs: readonly P[], items: readonly number[]): Set<P> => {
    const named = new Set<P>()
    for (const item of items) {
      const pack = packOf(packs, item)
      if (pack !== undefined) named.add(pack)
    }
    return named
  }
  const listPacks = new Map(manifest.lists.flatMap((pack) => pack.regions.map((region): [string, PackName] => [region, pack])))
  return {
    neighbours(item) {
      const name = packOf(manifest.neighbours, item)
      return name && reader.packs.get<NeighbourPack>(name.hash)?.row(core.slot[item])
    },
    list(region, cohort) {
      const name = listPacks.get(region)
      return name && reader.packs.get<ListPack>(name.hash)?.get(region, cohort)
    },
    loadLists(ctx, regions) {
      const names = new Set<PackName>()
      for (const region of regions) {
        const name = listPacks.get(region)
        if (name !== undefined) names.add(name)
      }
      return allRead(waitedFor(names, (name) => reader.lists(ctx, name)))
    },
    loadNeighbours: (ctx, items) => allRead(waitedFor(packsOf(manifest.neighbours, items), (name) => reader.neighbours(ctx, name))),
    loadDisplay(ctx, items) {
      const reads = waitedFor(packsOf(manifest.display, items), (name) => reader.display(ctx, name))
      return reads.length === 0 ? undefined : Promise.all(reads)
    },
    display(item) {
      const known = decoded.get(item)
      if (known !== undefined) return known
      const name = packOf(manifest.display, item)
      const pack = name && reader.packs.get<DisplayPack>(name.hash)
      if (pack === undefined) throw new PackError('truncated', `the display pack of item ${item} is not at hand`)
      const row = displayRow(pack.id(core.slot[item]), pack.json(core.slot[item]))
      if (decoded.size >= DECODED_ROWS) decoded.clear()
      decoded.set(item, row)
      return row
    },
    async member(ctx, visitor) {
      if (manifest.members.length === 0) return undefined
      const name = manifest.members[packOfSlot(manifest.members, memberSlot(visitor))]
      return (await reader.members(ctx, name)).get(visitor)
    },
  }
}

/** The reads that have to be waited for. */
function waitedFor<N>(names: Iterable<N>, read: (name: N) => Reading<unknown>): Promise<unknown>[] {
  const reads: Promise<unknown>[] = []
  for (const name of names) {
    const reading = read(name)
    if (reading instanceof Promise) reads.push(reading)
  }
  return reads
}

const allRead = (reads: Promise<unknown>[]): Reading<boolean> =>
  reads.length === 0 || Promise.allSettled(reads).then((all) => all.every(({ status }) => status === 'fulfilled'))

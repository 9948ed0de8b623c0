import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { continentRegion, EVERYWHERE } from '../../shared/ranking/regions.ts'
import { AVAILABLE, encodeCore } from '../../shared/release/core-pack.ts'
import { type DisplayInput, encodeDisplay } from '../../shared/release/display-pack.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { encodeLists, type ListInput } from '../../shared/release/list-pack.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import { encodeMembers, type MemberInput, memberSlot } from '../../shared/release/member-pack.ts'
import { encodeModel } from '../../shared/release/model-pack.ts'
import { encodeNeighbours, NEIGHBOUR_WEIGHTS, type NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import type { ListedItem } from '../../shared/schemas/listed-item.ts'
import type { CatalogueItem } from '../dataset.ts'
import type { Learned } from '../learn/learn.ts'
import { fitting, frontFirst } from './front.ts'

type Bytes = Uint8Array<ArrayBuffer>
/** Packs by content hash. */
export type Packs = Map<string, Bytes>
/** The part of a manifest that names packs, and the list that it holds itself. */
export type PackNames = Required<Pick<Manifest, 'core' | 'model' | 'neighbours' | 'display' | 'lists' | 'members' | 'firstList'>>

/**
 * About how many bytes a pack should have. KV bills by write, so packs are large; an isolate reads a pack for a few of
 * its rows, so they are not larger.
 */
const TARGET_BYTES = 64 * 1024
/** Of lists a request needs at most three regions', which should come in one read or two. */
const LIST_BYTES = 512 * 1024

/** Encodes everything that was learned. */
export async function encodePacks(
  learned: Pick<Learned, 'core' | 'neighbours' | 'lists' | 'regions'>,
  items: CatalogueItem[],
  weights: Weights,
  members: MemberInput[],
): Promise<{ packs: Packs; names: PackNames }> {
  const packs: Packs = new Map()
  const add = (bytes: Bytes): Promise<Named> => addTo(packs, bytes)
  const slotPacks = async <T>(
    rows: T[],
    front: number,
    size: (row: T) => number,
    encode: (first: number, rows: T[]) => Bytes,
  ): Promise<PackNames['display']> => {
    const names: PackNames['display'] = []
    for (const { first, part } of split(rows, front, size)) names.push({ ...(await add(encode(first, part))), first })
    return names
  }
  const itemCount = items.length
  const neighbourBytes = neighbourSize(learned.neighbours)
  const shown = items.map(({ id, values }): DisplayInput => ({ id, values }))
  const { order, front } = frontFirst(
    learned.core,
    Float64Array.from(learned.neighbours, neighbourBytes),
    Float64Array.from(shown, displaySize),
  )
  const slot = new Uint32Array(itemCount)
  order.forEach((item, at) => {
    slot[item] = at
  })
  const names: PackNames = {
    core: await add(encodeCore({ ...learned.core, slot })),
    model: await add(encodeModel(weights)),
    neighbours: await slotPacks(
      order.map((item) => learned.neighbours[item]),
      front.neighbours,
      neighbourBytes,
      (first, rows) => encodeNeighbours(first, rows, itemCount),
    ),
    display: await slotPacks(
      order.map((item) => shown[item]),
      front.display,
      displaySize,
      encodeDisplay,
    ),
    lists: await addLists(packs, learned, itemCount),
    members: [],
    firstList: firstListOf(learned, shown),
  }
  for (const { first, part } of splitMembers(members)) names.members.push({ ...(await add(encodeMembers(part, itemCount))), first })
  return { packs, names }
}

type Named = { hash: string; bytes: number }

async function addTo(packs: Packs, bytes: Bytes): Promise<Named> {
  const hash = await contentHash(bytes)
  packs.set(hash, bytes)
  return { hash, bytes: bytes.length }
}

/** Encodes lists into `packs`. @param items how many there are */
async function addLists(packs: Packs, { regions, lists }: Pick<Learned, 'lists' | 'regions'>, items: number): Promise<PackNames['lists']> {
  const names: PackNames['lists'] = []
  for (const group of groupRegions(regions, lists)) {
    const own = lists.filter((list) => group.includes(list.region))
    names.push({ ...(await addTo(packs, encodeLists(own, items))), regions: group })
  }
  return names
}

/** Bytes of a row: where it starts, and for each kind of weight that any row has a scale and a byte a neighbour. */
function neighbourSize(rows: readonly NeighbourInput[]): (row: NeighbourInput) => number {
  const kinds = NEIGHBOUR_WEIGHTS.filter((kind) => rows.some((row) => row[kind].some((weight) => weight > 0))).length
  const indexBytes = rows.length <= 0x10000 ? 2 : 4
  return ({ items }) => 4 + 4 * kinds + items.length * (indexBytes + kinds)
}

const displaySize = ({ id, values }: DisplayInput): number => 8 + 2 * id.length + JSON.stringify(values).length

/** The first `front` rows as one, then consecutive rows, cut where a pack has reached its size. */
function* split<T>(rows: T[], front: number, size: (row: T) => number): Generator<{ first: number; part: T[] }> {
  let first = 0
  let bytes = 0
  for (let i = 0; i < rows.length; i++) {
    bytes += size(rows[i])
    if (i < front ? i === front - 1 : bytes >= TARGET_BYTES || i === rows.length - 1) {
      yield { first, part: rows.slice(first, i + 1) }
      first = i + 1
      bytes = 0
    }
  }
}

/**
 * Regions share a pack until it is full, the wide ones first: a country's, its continent's and the global lists come in one
 * or two reads.
 */
function groupRegions(regions: string[], lists: ListInput[]): string[][] {
  const groups: string[][] = []
  const sizes = new Map<string, number>()
  for (const { region, items } of lists) sizes.set(region, (sizes.get(region) ?? 0) + 3 * items.length)
  let bytes = Number.POSITIVE_INFINITY
  for (const region of regions.toSorted((a, b) => Number(isWide(b)) - Number(isWide(a)))) {
    const size = sizes.get(region) ?? 0
    if (bytes + size > LIST_BYTES) {
      groups.push([])
      bytes = 0
    }
    groups[groups.length - 1].push(region)
    bytes += size
  }
  return groups
}

const isWide = (region: string): boolean => region === EVERYWHERE || region.startsWith(continentRegion(''))

const FIRST_LIST_ITEMS = 40
/** The channel carries it, and every isolate reads that once a minute. */
const FIRST_LIST_BYTES = 8 * 1024

/** The global list's beginning with what pages draw. */
function firstListOf({ core, lists }: Pick<Learned, 'core' | 'lists'>, shown: readonly DisplayInput[]): ListedItem[] {
  const everywhere = lists.find(({ region, cohort }) => region === EVERYWHERE && cohort === -1)
  const inStock = (everywhere?.items ?? []).filter((item) => (core.flags[item] & AVAILABLE) !== 0)
  const rows = inStock.slice(0, FIRST_LIST_ITEMS).map((item) => shown[item])
  const count = fitting(Float64Array.from(rows, displaySize), FIRST_LIST_BYTES)
  return JSON.parse(JSON.stringify(rows.slice(0, count))) as ListedItem[]
}

const memberBytes = ({ items }: MemberInput): number => 12 + 5 * items.length

/** Members in order of their hash, cut only between first bytes, because that byte is how the edge finds the pack. */
function splitMembers(members: MemberInput[]): { first: number; part: MemberInput[] }[] {
  const packs: { first: number; part: MemberInput[]; bytes: number }[] = []
  for (const member of members) {
    const slot = memberSlot(member.visitor)
    const last = packs[packs.length - 1]
    const previous = last?.part[last.part.length - 1]
    if (last === undefined || (last.bytes >= TARGET_BYTES && previous !== undefined && memberSlot(previous.visitor) !== slot)) {
      packs.push({ first: packs.length === 0 ? 0 : slot, part: [member], bytes: memberBytes(member) })
    } else {
      last.part.push(member)
      last.bytes += memberBytes(member)
    }
  }
  return packs
}

import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { encodeCore } from '../../shared/release/core-pack.ts'
import { type DisplayInput, encodeDisplay } from '../../shared/release/display-pack.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { encodeLists, type ListInput } from '../../shared/release/list-pack.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import { encodeMembers, type MemberInput, memberSlot } from '../../shared/release/member-pack.ts'
import { encodeModel } from '../../shared/release/model-pack.ts'
import { encodeNeighbours, type NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import type { CatalogueItem } from '../dataset.ts'
import type { Learned } from '../learn/learn.ts'

type Bytes = Uint8Array<ArrayBuffer>
/** Packs by content hash. */
export type Packs = Map<string, Bytes>
/** The part of a manifest that names packs. */
export type PackNames = Pick<Manifest, 'core' | 'model' | 'neighbours' | 'display' | 'lists' | 'members'>

/**
 * About how many bytes a pack should have. KV bills by write, so packs are large; an isolate reads a pack for a few of
 * its rows, so they are not larger.
 */
const TARGET_BYTES = 64 * 1024

/** Encodes everything that was learned. */
export async function encodePacks(
  learned: Pick<Learned, 'core' | 'neighbours' | 'lists' | 'regions'>,
  items: CatalogueItem[],
  weights: Weights,
  members: MemberInput[],
): Promise<{ packs: Packs; names: PackNames }> {
  const packs: Packs = new Map()
  const add = async (bytes: Bytes): Promise<{ hash: string; bytes: number }> => {
    const hash = await contentHash(bytes)
    packs.set(hash, bytes)
    return { hash, bytes: bytes.length }
  }
  const bySlot = new Uint32Array(items.length)
  learned.core.slot.forEach((slot, item) => {
    bySlot[slot] = item
  })
  const slotPacks = async <T>(
    rows: T[],
    size: (row: T) => number,
    encode: (first: number, rows: T[]) => Bytes,
  ): Promise<PackNames['display']> => {
    const names: PackNames['display'] = []
    for (const { first, part } of split(rows, size)) names.push({ ...(await add(encode(first, part))), first })
    return names
  }
  const indexBytes = items.length <= 0x10000 ? 2 : 4
  const rowBytes = (row: NeighbourInput): number => 12 + row.items.length * (indexBytes + 2)
  const itemCount = items.length
  const names: PackNames = {
    core: await add(encodeCore(learned.core)),
    model: await add(encodeModel(weights)),
    neighbours: await slotPacks(
      Array.from(bySlot, (item) => learned.neighbours[item]),
      rowBytes,
      (first, rows) => encodeNeighbours(first, rows, itemCount),
    ),
    display: await slotPacks(
      Array.from(bySlot, (item): DisplayInput => ({ id: items[item].id, values: items[item].values })),
      (row) => 8 + 2 * row.id.length + JSON.stringify(row.values).length,
      encodeDisplay,
    ),
    lists: [],
    members: [],
  }
  for (const regions of groupRegions(learned.regions, learned.lists)) {
    const lists = learned.lists.filter((list) => regions.includes(list.region))
    names.lists.push({ ...(await add(encodeLists(lists, itemCount))), regions })
  }
  for (const { first, part } of splitMembers(members)) names.members.push({ ...(await add(encodeMembers(part, itemCount))), first })
  return { packs, names }
}

/** Consecutive rows, cut where a pack has reached its size; there is always at least one pack. */
function* split<T>(rows: T[], size: (row: T) => number): Generator<{ first: number; part: T[] }> {
  let first = 0
  let bytes = 0
  for (let i = 0; i < rows.length; i++) {
    bytes += size(rows[i])
    if (bytes >= TARGET_BYTES || i === rows.length - 1) {
      yield { first, part: rows.slice(first, i + 1) }
      first = i + 1
      bytes = 0
    }
  }
}

/** Regions share a pack until it is full, so that a country's and the global lists usually come in one or two reads. */
function groupRegions(regions: string[], lists: ListInput[]): string[][] {
  const groups: string[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const region of regions) {
    const size = lists.filter((list) => list.region === region).reduce((sum, list) => sum + 3 * list.items.length, 0)
    if (bytes + size > TARGET_BYTES) {
      groups.push([])
      bytes = 0
    }
    groups[groups.length - 1].push(region)
    bytes += size
  }
  return groups
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

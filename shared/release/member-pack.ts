import type { Deed } from '../ranking/release-view.ts'
import { decodePack, encodePack, type Indices, indexArray, indices, openPack, type Pack, PackError, section } from './container.ts'

/**
 * The last items of a visitor known only to the batch, newest first, what was done with each, and how many days before the
 * release's `now` (saturating at 65535). `visitor` is the pseudonym: 16 hex digits.
 */
export type MemberInput = { visitor: string; items: number[]; deeds: Deed[]; days: number[] }
export type MemberRow = { items: Indices; deeds: Uint8Array<ArrayBuffer>; days: Uint16Array<ArrayBuffer> }
export type MemberPack = { get(visitor: string): MemberRow | undefined }

/** @param members in ascending order of `visitor` */
export function encodeMembers(members: MemberInput[], itemCount: number): Uint8Array<ArrayBuffer> {
  const high = Uint32Array.from(members, (member) => Number.parseInt(member.visitor.slice(0, 8), 16))
  const low = Uint32Array.from(members, (member) => Number.parseInt(member.visitor.slice(8, 16), 16))
  const start = new Uint32Array(members.length + 1)
  members.forEach((member, i) => {
    start[i + 1] = start[i] + member.items.length
  })
  const items = indexArray(
    itemCount,
    members.flatMap((member) => member.items),
  )
  const deeds = Uint8Array.from(members.flatMap((member) => member.deeds))
  const days = Uint16Array.from(members.flatMap((member) => member.days.map((day) => Math.min(65_535, day))))
  return encodePack({ kind: 'members', meta: {}, sections: { high, low, start, items, deeds, days } })
}

/** @throws PackError */
export const openMembers = async (buffer: ArrayBuffer, hash: string): Promise<MemberPack> =>
  readMembers(await openPack(buffer, hash, 'members'))
/** @throws PackError */
export const decodeMembers = (buffer: ArrayBuffer): MemberPack => readMembers(decodePack(buffer, 'members'))

function readMembers(pack: Pack): MemberPack {
  const high = section(pack, 'high', Uint32Array)
  const low = section(pack, 'low', Uint32Array, high.length)
  const start = section(pack, 'start', Uint32Array, high.length + 1)
  const items = indices(pack, 'items', start[high.length])
  const deeds = section(pack, 'deeds', Uint8Array, start[high.length])
  const days = section(pack, 'days', Uint16Array, start[high.length])
  if (start.length === 0) throw new PackError('bad-section', 'members.start is empty')
  return {
    get(visitor) {
      const h = Number.parseInt(visitor.slice(0, 8), 16)
      const l = Number.parseInt(visitor.slice(8, 16), 16)
      let from = 0
      let to = high.length
      while (from < to) {
        const middle = (from + to) >>> 1
        const at = high[middle]
        if (at < h || (at === h && low[middle] < l)) from = middle + 1
        else to = middle
      }
      if (high[from] !== h || low[from] !== l) return undefined
      const row = [start[from], start[from + 1]] as const
      return { items: items.subarray(...row), deeds: deeds.subarray(...row), days: days.subarray(...row) }
    },
  }
}

/** The number a members pack is found by: the first byte of the visitor's hash. */
export const memberSlot = (visitor: string): number => Number.parseInt(visitor.slice(0, 2), 16)

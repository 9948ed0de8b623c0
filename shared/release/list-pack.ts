import { utf8 } from '../utf8.ts'
import { decodePack, encodePack, type Indices, indexArray, indices, openPack, type Pack, PackError, section, texts } from './container.ts'

/** A top-N list, best first. `scores` run from 255 (the best) down; times `scale` = the estimated share of visitors. */
export type List = { items: Indices; scores: Uint8Array<ArrayBuffer>; scale: number }

/** `cohort` -1 is the list of the whole region. */
export type ListInput = { region: string; cohort: number; items: number[]; scores: number[] }

/** The lists of some regions. */
export type ListPack = { get(region: string, cohort: number): List | undefined }

const cellName = (region: string, cohort: number): string => `${region} ${cohort}`

export function encodeLists(lists: ListInput[], itemCount: number): Uint8Array<ArrayBuffer> {
  const start = new Uint32Array(lists.length + 1)
  lists.forEach((list, i) => {
    start[i + 1] = start[i] + list.items.length
  })
  const scores = new Uint8Array(start[lists.length])
  const scale = new Float32Array(lists.length)
  lists.forEach((list, i) => {
    const unit = Math.fround((list.scores[0] ?? 0) / 255)
    scale[i] = unit
    scores.set(
      list.scores.map((score) => (unit > 0 ? Math.min(255, Math.max(1, Math.round(score / unit))) : 1)),
      start[i],
    )
  })
  const cells = utf8(JSON.stringify(lists.map((list) => cellName(list.region, list.cohort))))
  const items = indexArray(
    itemCount,
    lists.flatMap((list) => list.items),
  )
  return encodePack({ kind: 'lists', meta: {}, sections: { start, scale, items, scores, cells } })
}

/** @throws PackError */
export const openLists = async (buffer: ArrayBuffer, hash: string): Promise<ListPack> => readLists(await openPack(buffer, hash, 'lists'))
/** @throws PackError */
export const decodeLists = (buffer: ArrayBuffer): ListPack => readLists(decodePack(buffer, 'lists'))

function readLists(pack: Pack): ListPack {
  const start = section(pack, 'start', Uint32Array)
  const count = start.length - 1
  if (count < 0) throw new PackError('bad-section', 'lists.start is empty')
  const total = start[count]
  const items = indices(pack, 'items', total)
  const scores = section(pack, 'scores', Uint8Array, total)
  const scale = section(pack, 'scale', Float32Array, count)
  const names = texts(pack, 'cells')
  if (names.length !== count) throw new PackError('bad-section', 'lists.cells does not match lists.start')
  const cells = new Map<string, Map<number, number>>()
  names.forEach((name, i) => {
    const space = name.lastIndexOf(' ')
    const region = name.slice(0, space)
    const byCohort = cells.get(region) ?? new Map<number, number>()
    cells.set(region, byCohort.set(Number(name.slice(space + 1)), i))
  })
  const made = new Array<List | undefined>(count)
  const listAt = (i: number): List => {
    const from = start[i]
    const to = start[i + 1]
    return { items: items.subarray(from, to), scores: scores.subarray(from, to), scale: scale[i] }
  }
  return {
    get(region, cohort) {
      const i = cells.get(region)?.get(cohort)
      if (i === undefined) return undefined
      made[i] ??= listAt(i)
      return made[i]
    },
  }
}

import type { ItemValues } from '../schemas/recommendations.ts'
import { utf8 } from '../utf8.ts'
import { decodePack, encodePack, openPack, type Pack, PackError, section } from './container.ts'

/** What a page needs to draw an item: its id and its values, kept as the JSON text that the answer carries. */
export type DisplayInput = { id: string; values: ItemValues }

/** The display rows of consecutive slots. */
export type DisplayPack = {
  first: number
  rows: number
  id(slot: number): string
  /** The values as JSON text, ready to be spliced into an answer. */
  json(slot: number): string
}

export function encodeDisplay(first: number, rows: DisplayInput[]): Uint8Array<ArrayBuffer> {
  const texts = rows.flatMap((row) => [utf8(row.id), utf8(JSON.stringify(row.values))])
  const start = new Uint32Array(texts.length + 1)
  texts.forEach((text, i) => {
    start[i + 1] = start[i] + text.length
  })
  const text = new Uint8Array(start[texts.length])
  texts.forEach((bytes, i) => {
    text.set(bytes, start[i])
  })
  return encodePack({ kind: 'display', meta: { first }, sections: { start, text } })
}

/** @throws PackError */
export const openDisplay = async (buffer: ArrayBuffer, hash: string): Promise<DisplayPack> =>
  readDisplay(await openPack(buffer, hash, 'display'))
/** @throws PackError */
export const decodeDisplay = (buffer: ArrayBuffer): DisplayPack => readDisplay(decodePack(buffer, 'display'))

function readDisplay(pack: Pack): DisplayPack {
  const start = section(pack, 'start', Uint32Array)
  if (start.length % 2 !== 1) throw new PackError('bad-section', 'display.start must hold two texts a row')
  const text = section(pack, 'text', Uint8Array, start[start.length - 1])
  const first = Number(pack.meta.first)
  const decoder = new TextDecoder()
  const read = (i: number): string => decoder.decode(text.subarray(start[i], start[i + 1]))
  return {
    first,
    rows: (start.length - 1) / 2,
    id: (slot) => read(2 * (slot - first)),
    json: (slot) => read(2 * (slot - first) + 1),
  }
}

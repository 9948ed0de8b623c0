import { utf8 } from '../utf8.ts'
import { contentHash } from './hash.ts'

/**
 * A pack is a magic number, the length of a JSON header, the header (kind, version, meta, section table) and then the
 * sections, each aligned to 8 bytes so that the edge views them as typed arrays without copying or decoding.
 * Numbers are little-endian: every platform a Worker or Node runs on is.
 */
const MAGIC = 0x4b504a4e // "NJPK"
const VERSION = 1
const HEADER_AT = 8

export type PackKind = 'core' | 'neighbours' | 'lists' | 'display' | 'members' | 'model' | 'onnx'
export type SectionArray =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
const arrayTypes = { u8: Uint8Array, i8: Int8Array, u16: Uint16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array } as const
type ArrayType = keyof typeof arrayTypes
const isArrayType = (name: unknown): name is ArrayType => typeof name === 'string' && Object.hasOwn(arrayTypes, name)

export type Pack = { kind: PackKind; meta: Record<string, number | string>; sections: Record<string, SectionArray> }

export type PackFault = 'hash-mismatch' | 'truncated' | 'not-a-pack' | 'wrong-version' | 'wrong-kind' | 'bad-header' | 'bad-section'

/** A pack that must not be used; `fault` says what is wrong with it. */
export class PackError extends Error {
  readonly fault: PackFault
  constructor(fault: PackFault, detail: string) {
    super(`${fault}: ${detail}`)
    this.name = 'PackError'
    this.fault = fault
  }
}

const typeOf = (array: SectionArray): ArrayType => {
  for (const name of Object.keys(arrayTypes) as ArrayType[]) if (array instanceof arrayTypes[name]) return name
  throw new TypeError('not a section array')
}
const align = (offset: number): number => (offset + 7) & ~7

export function encodePack(pack: Pack): Uint8Array<ArrayBuffer> {
  let length = 0
  const table = Object.entries(pack.sections).map(([name, array]) => {
    const offset = length
    length = align(length + array.byteLength)
    return { name, type: typeOf(array), offset, count: array.length }
  })
  const header = utf8(JSON.stringify({ kind: pack.kind, version: VERSION, meta: pack.meta, sections: table }))
  const start = align(HEADER_AT + header.length)
  const bytes = new Uint8Array(start + length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, header.length, true)
  bytes.set(header, HEADER_AT)
  for (const { name, offset } of table) {
    const array = pack.sections[name] as SectionArray
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), start + offset)
  }
  return bytes
}

/** Opens a pack whose bytes must hash to `hash`. @throws PackError on anything but the exact bytes that were published. */
export async function openPack(buffer: ArrayBuffer, hash: string, kind: PackKind): Promise<Pack> {
  if ((await contentHash(new Uint8Array(buffer))) !== hash) throw new PackError('hash-mismatch', `${kind} pack is not ${hash}`)
  return decodePack(buffer, kind)
}

/** Decodes without checking the hash: for packs just encoded. The sections are views into `buffer`. @throws PackError */
export function decodePack(buffer: ArrayBuffer, kind: PackKind): Pack {
  if (buffer.byteLength < HEADER_AT) throw new PackError('truncated', `${buffer.byteLength} bytes`)
  const view = new DataView(buffer)
  if (view.getUint32(0, true) !== MAGIC) throw new PackError('not-a-pack', 'magic number missing')
  const headerLength = view.getUint32(4, true)
  if (HEADER_AT + headerLength > buffer.byteLength) throw new PackError('truncated', 'header runs past the end')
  const header = readHeader(new Uint8Array(buffer, HEADER_AT, headerLength))
  if (header.version !== VERSION) throw new PackError('wrong-version', `version ${header.version}, this code reads ${VERSION}`)
  if (header.kind !== kind) throw new PackError('wrong-kind', `${header.kind} where ${kind} was expected`)
  const start = align(HEADER_AT + headerLength)
  const sections: Record<string, SectionArray> = Object.create(null)
  for (const { name, type, offset, count } of header.sections) {
    const ArrayOf = arrayTypes[type]
    const from = start + offset
    if (offset % 8 !== 0 || from + count * ArrayOf.BYTES_PER_ELEMENT > buffer.byteLength) {
      throw new PackError('bad-section', `${name} runs past the end`)
    }
    sections[name] = new ArrayOf(buffer, from, count)
  }
  return { kind, meta: header.meta, sections }
}

type Header = {
  kind: string
  version: number
  meta: Pack['meta']
  sections: { name: string; type: ArrayType; offset: number; count: number }[]
}

function readHeader(bytes: Uint8Array): Header {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes))
  } catch {
    throw new PackError('bad-header', 'not JSON')
  }
  if (!isHeader(header)) throw new PackError('bad-header', 'fields missing or of the wrong type')
  return header
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value)
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

function isHeader(value: unknown): value is Header {
  return (
    isRecord(value) &&
    typeof value.kind === 'string' &&
    typeof value.version === 'number' &&
    isRecord(value.meta) &&
    Object.values(value.meta).every((entry) => typeof entry === 'number' || typeof entry === 'string') &&
    Array.isArray(value.sections) &&
    value.sections.every((s) => isRecord(s) && typeof s.name === 'string' && isArrayType(s.type) && isCount(s.offset) && isCount(s.count))
  )
}

/** The section `name` as the array type the caller expects. @throws PackError when it is absent, of another type or length. */
export function section<T extends SectionArray>(pack: Pack, name: string, ArrayOf: new (length: number) => T, count?: number): T {
  const array = pack.sections[name]
  if (!(array instanceof ArrayOf)) throw new PackError('bad-section', `${pack.kind}.${name} is missing or of another type`)
  if (count !== undefined && array.length !== count) {
    throw new PackError('bad-section', `${pack.kind}.${name} has ${array.length} entries where ${count} were expected`)
  }
  return array
}

export const hasSection = (pack: Pack, name: string): boolean => pack.sections[name] !== undefined

/** The section `name` as a list of texts, kept as JSON. @throws PackError */
export function texts(pack: Pack, name: string): string[] {
  let list: unknown
  try {
    list = JSON.parse(new TextDecoder().decode(section(pack, name, Uint8Array)))
  } catch (error) {
    if (error instanceof PackError) throw error
  }
  if (!Array.isArray(list) || !list.every((text) => typeof text === 'string'))
    throw new PackError('bad-section', `${pack.kind}.${name} is not a list of texts`)
  return list
}

/** A whole number from the pack's meta. @throws PackError */
export function metaCount(pack: Pack, name: string): number {
  const value = pack.meta[name]
  if (!isCount(value)) throw new PackError('bad-header', `${pack.kind} meta.${name} is not a count`)
  return value
}

/** Item indices take two bytes where they fit and four where they don't. */
export type Indices = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>
export const indexArray = (itemCount: number, values: ArrayLike<number>): Indices =>
  itemCount <= 0x10000 ? Uint16Array.from(values) : Uint32Array.from(values)

export function indices(pack: Pack, name: string, count?: number): Indices {
  return pack.sections[name] instanceof Uint16Array ? section(pack, name, Uint16Array, count) : section(pack, name, Uint32Array, count)
}

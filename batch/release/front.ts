import { type Core, NEW } from '../../shared/release/core-pack.ts'

/**
 * How many bytes of rows stand together in the first pack of each kind, which an isolate reads with the core: about as many as
 * take as long to come as one more round of reads does.
 */
const FRONT_BYTES = { neighbours: 4 * 1024 * 1024, display: 2 * 1024 * 1024 }

/** The order of rows in packs: position → item, and how many of them make up the first pack of each kind. */
export type RowOrder = { order: number[]; front: { neighbours: number; display: number } }

/**
 * What most visitors need first, all of a small catalogue; behind it the rest, in clustered order as `slot` has it. The most
 * popular items come with their neighbours; new ones, one of which is on most slates, with what pages draw.
 * @param neighbourBytes by item @param displayBytes by item
 */
export function frontFirst({ slot, popularity, flags }: Core, neighbourBytes: Float64Array, displayBytes: Float64Array): RowOrder {
  const clustered = Array.from(slot.keys()).sort((a, b) => slot[a] - slot[b])
  const popular = clustered.toSorted((a, b) => popularity[b] - popularity[a] || slot[a] - slot[b])
  const neighbours = fitting(bytesOf(popular, neighbourBytes), FRONT_BYTES.neighbours)
  const isNew = (item: number): boolean => (flags[item] & NEW) !== 0
  const others = popular.slice(neighbours)
  const wanted = [...popular.slice(0, neighbours), ...others.filter(isNew), ...others.filter((item) => !isNew(item))]
  const display = fitting(bytesOf(wanted, displayBytes), FRONT_BYTES.display)
  const [inner, outer] = neighbours < display ? [neighbours, display] : [display, neighbours]
  const ring = new Uint8Array(slot.length)
  wanted.forEach((item, at) => {
    ring[item] = at < inner ? 0 : at < outer ? 1 : 2
  })
  return { order: clustered.sort((a, b) => ring[a] - ring[b] || slot[a] - slot[b]), front: { neighbours, display } }
}

const bytesOf = (items: readonly number[], bytes: Float64Array): Float64Array => Float64Array.from(items, (item) => bytes[item])

/** How many rows from the first on do not exceed `most` bytes; one at least, where there are any. */
export function fitting(bytes: Float64Array, most: number): number {
  let sum = 0
  const end = bytes.findIndex((size, at) => {
    sum += size
    return at > 0 && sum > most
  })
  return end < 0 ? bytes.length : end
}

import { itemHash } from '../../shared/release/hash.ts'

/**
 * Distinct visitors of one item in bounded space: the smallest of their 32-bit marks, ascending (a bottom-k sketch,
 * Cohen & Kaplan 2007). Exact while there are fewer than SKETCH_MARKS, and sketches of parts merge to that of the whole.
 */
export type Sketch = number[]

export const SKETCH_MARKS = 24
const MARKS = 2 ** 32

/** A mark is of one visitor and one item: marks of different items cannot be joined to a person's path. */
export const markOf = (visitor: string, item: string): number => itemHash(`${visitor} ${item}`, 0) % MARKS

export function mergeSketches(a: Sketch, b: Sketch): Sketch {
  return [...new Set([...a, ...b])].sort((x, y) => x - y).slice(0, SKETCH_MARKS)
}

/** How many visitors; an estimate from SKETCH_MARKS on (relative error about 1/√SKETCH_MARKS). */
export function distinctCount(sketch: Sketch): number {
  if (sketch.length < SKETCH_MARKS) return sketch.length
  return Math.round(((SKETCH_MARKS - 1) * MARKS) / (sketch[SKETCH_MARKS - 1] + 1))
}

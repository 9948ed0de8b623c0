/** Hidden units of the ranker. */
export const HIDDEN = 32

/** Where each of the ranker's parameters begins in one flat array, and its length; `skip` is padded by zeros to a multiple of 4. */
export function parameterLayout(features: number): { w0: number; b0: number; w1: number; skip: number; length: number } {
  const b0 = features * HIDDEN
  const skip = b0 + 2 * HIDDEN
  return { w0: 0, b0, w1: b0 + HIDDEN, skip, length: skip + Math.ceil(features / 4) * 4 }
}

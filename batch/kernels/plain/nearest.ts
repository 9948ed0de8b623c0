import { topItems } from '../../../shared/ranking/top.ts'
import type { Asked, Nearest, Places } from '../../learn/nearest.ts'

/** The kernel of nearest.ts in plain TypeScript: what it is held to. */
export function nearestPlain({ vectors, dimensions }: Places, { targets, others, most, factor, least, barred }: Asked): Nearest[] {
  const worth = new Float32Array(vectors.length / dimensions)
  return Array.from(targets, (target, i) => {
    const own = vectors.subarray(target * dimensions, (target + 1) * dimensions)
    for (const other of others) {
      let cosine = 0
      for (let d = 0; d < dimensions; d++) cosine += own[d] * vectors[other * dimensions + d]
      worth[other] = cosine < (least?.[other] ?? 0) ? 0 : cosine * (factor?.[other] ?? 1)
    }
    for (const item of barred?.[i] ?? []) worth[item] = 0
    const items = topItems(others, others.length, worth, most).filter((item) => worth[item] > 0)
    return { items, values: Float32Array.from(items, (item) => worth[item]) }
  })
}

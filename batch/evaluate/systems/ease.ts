import { topItems } from '../../../shared/ranking/top.ts'
import type { Dataset } from '../../dataset.ts'
import { interactions } from '../../learn/interactions.ts'
import { invertSymmetric } from './dense-inverse.ts'

/** A dense item × item model over a part of the catalogue. */
export type Ease = {
  /** Catalogue indices of the modelled items, ascending. */
  items: Uint32Array
  /** Place of every catalogue item in `items`; -1 for those outside. */
  place: Int32Array
  /** weight[i × n + j]: how much having i speaks for j; the diagonal is 0. */
  weight: Float32Array
}

/** X'X over distinct visitor–item pairs of the `most` items with the most visitors; items nobody has are left out. */
export type Gram = Pick<Ease, 'items' | 'place'> & { values: Float32Array }

export function gramOf(dataset: Dataset, most: number): Gram {
  const { byVisitor, itemVisitors } = interactions({ dataset, until: dataset.to + 1 }, Number.POSITIVE_INFINITY)
  const had = Uint32Array.from(itemVisitors.keys()).filter((item) => itemVisitors[item] > 0)
  const items = topItems(had, had.length, Float32Array.from(itemVisitors), most).sort()
  const place = new Int32Array(itemVisitors.length).fill(-1)
  items.forEach((item, i) => {
    place[item] = i
  })
  const n = items.length
  const values = new Float32Array(n * n)
  for (let visitor = 0; visitor < byVisitor.rows; visitor++) {
    const own = byVisitor.index.subarray(byVisitor.start[visitor], byVisitor.start[visitor + 1])
    const places = Int32Array.from(own, (item) => place[item]).filter((i) => i >= 0)
    for (const i of places) for (const j of places) values[i * n + j]++
  }
  return { items, place, values }
}

/** EASE (Steck 2019): with P = (X'X + λI)⁻¹, the weights are −P_ij / P_jj off the diagonal. */
export function ease({ items, place, values }: Gram, lambda: number): Ease {
  const n = items.length
  const weight = values.slice()
  for (let i = 0; i < n; i++) weight[i * n + i] += lambda
  invertSymmetric(weight, n)
  const scale = Float64Array.from({ length: n }, (_, j) => -1 / weight[j * n + j])
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) weight[i * n + j] = i === j ? 0 : weight[i * n + j] * scale[j]
  }
  return { items, place, weight }
}

import { topItems } from '../../../shared/ranking/top.ts'
import type { Dataset } from '../../dataset.ts'
import { interactions } from '../../learn/interactions.ts'
import { type Sparse, SparseBuilder } from '../../learn/sparse.ts'
import { coordinateSearch } from '../search.ts'
import type { System, Trial, Validation } from '../trial.ts'
import { ScoreSpace } from './score-space.ts'

type Setting = { neighbours: number; decay: number }
const GRID = { neighbours: [20, 50, 100, 200], decay: [0.5, 1.5, 4, 10, 30, 1e9] }
const MOST_NEIGHBOURS = 200

/**
 * Items nearest by cosine of who took them (Sarwar et al. 2001), summed over the history, which counts less with every
 * step back: exp(−position / decay). How many neighbours and which decay is tuned.
 */
export async function itemKnn({ train }: Pick<Trial, 'train'>, validation: () => Validation, trials: number): Promise<System> {
  const { trial, quality } = validation()
  const inner = nearest(trial.train)
  const best = await coordinateSearch({ neighbours: 100, decay: 10 }, GRID, trials, (setting) => quality(knn(inner, setting)))
  return knn(nearest(train), best)
}

function knn(near: Sparse, { neighbours, decay }: Setting): System {
  const space = new ScoreSpace(near.rows)
  return {
    name: 'item-knn',
    setting: { neighbours, decay },
    rank({ history }, k) {
      for (const [position, { item }] of history.entries()) {
        const weight = Math.exp(-position / decay)
        const end = Math.min(near.start[item + 1], near.start[item] + neighbours)
        for (let at = near.start[item]; at < end; at++) space.add(near.index[at], weight * near.value[at])
      }
      return space.take(k)
    },
  }
}

/** Every item's nearest others with their cosines, nearest first. */
export function nearest(dataset: Dataset): Sparse {
  const { byVisitor, byItem, itemVisitors } = interactions({ dataset, until: dataset.to + 1 }, Number.POSITIVE_INFINITY)
  const shared = new Float32Array(byItem.rows)
  const builder = new SparseBuilder(byItem.rows)
  for (let item = 0; item < byItem.rows; item++) {
    const touched: number[] = []
    for (let k = byItem.start[item]; k < byItem.start[item + 1]; k++) {
      const visitor = byItem.index[k]
      for (let j = byVisitor.start[visitor]; j < byVisitor.start[visitor + 1]; j++) {
        const other = byVisitor.index[j]
        if (other !== item && shared[other]++ === 0) touched.push(other)
      }
    }
    for (const other of touched) shared[other] /= Math.sqrt(itemVisitors[item] * itemVisitors[other])
    for (const other of topItems(Uint32Array.from(touched), touched.length, shared, MOST_NEIGHBOURS)) builder.push(other, shared[other])
    builder.endRow()
    for (const other of touched) shared[other] = 0
  }
  return builder.build()
}

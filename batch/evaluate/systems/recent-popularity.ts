import type { Dataset } from '../../dataset.ts'
import { coordinateSearch } from '../search.ts'
import type { Omitted, System, Trial, Validation } from '../trial.ts'
import { counts, DAY, WINDOWS } from './popularity.ts'

/** Items by how often they were taken in the last days before the end of training; beyond those, by how often ever. */
export async function recentPopularity(
  { train, time }: Pick<Trial, 'train' | 'time'>,
  validation: () => Validation,
  trials: number,
): Promise<System | Omitted> {
  const name = 'recent-popularity'
  if (time === 'none') return { name, omitted: 'deeds have no time' }
  const { trial, quality } = validation()
  const best = await coordinateSearch({ days: 30 }, { days: WINDOWS }, trials, ({ days }) => quality(lately(trial.train, days)))
  return lately(train, best.days)

  function lately(dataset: Dataset, days: number): System {
    const recent = counts(dataset, dataset.to + 1 - days * DAY)
    const ever = counts(dataset, 0)
    const order = Array.from(ever.keys()).sort((a, b) => recent[b] - recent[a] || ever[b] - ever[a] || a - b)
    return { name, setting: { days }, rank: (_, k) => order.slice(0, k) }
  }
}

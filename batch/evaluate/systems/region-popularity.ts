import type { Dataset } from '../../dataset.ts'
import { coordinateSearch } from '../search.ts'
import type { Omitted, System, Trial, Validation } from '../trial.ts'
import { counts, DAY, mostTaken, WINDOWS } from './popularity.ts'

type RegionSetting = { days: number; strength: number }

/**
 * Items by how often they are taken in the query's country, backed off to everywhere: a country's counts are its own plus
 * `strength` deeds spread as everywhere's (a Dirichlet prior). Window and strength are tuned.
 */
export async function regionPopularity(
  { train, time }: Pick<Trial, 'train' | 'time'>,
  validation: () => Validation,
  trials: number,
): Promise<System | Omitted> {
  const name = 'region-popularity'
  if (train.countries.filter((country) => country !== '').length < 2) return { name, omitted: 'there is no more than one region' }
  const { trial, quality } = validation()
  const grid = { days: time === 'none' ? [36_500] : WINDOWS, strength: [0.01, 3, 10, 30, 100, 300, 1000, 3000] }
  const start: RegionSetting = { days: grid.days.includes(30) ? 30 : 36_500, strength: 100 }
  const best = await coordinateSearch(start, grid, trials, (setting) => quality(byCountry(trial.train, setting)))
  return byCountry(train, best)

  function byCountry(dataset: Dataset, { days, strength }: RegionSetting): System {
    const since = dataset.to + 1 - days * DAY
    const everywhere = counts(dataset, since)
    const total = everywhere.reduce((sum, value) => sum + value, 0)
    const orders = new Map<string, number[]>()
    const orderOf = (country: string): number[] => {
      const own = counts(dataset, since, dataset.countries.indexOf(country))
      return mostTaken(everywhere.map((count, item) => own[item] + (strength * count) / Math.max(1, total)))
    }
    return {
      name,
      setting: { days, strength },
      rank({ country }, k) {
        const order = orders.get(country) ?? orderOf(country)
        orders.set(country, order)
        return order.slice(0, k)
      },
    }
  }
}

import type { Dataset } from '../../dataset.ts'
import { RECALL_TRIALS } from '../../ranker/choose.ts'
import { coordinateSearch } from '../search.ts'
import type { Omitted, System, Trial, Validation } from '../trial.ts'

const DAY = 86_400

/** Items by how often they are taken. */
export function popularity({ train }: Pick<Trial, 'train'>): System {
  const order = mostTaken(counts(train, 0))
  return { name: 'popularity', rank: (_, k) => order.slice(0, k) }
}

const WINDOWS = [1, 2, 3, 7, 14, 21, 30, 60, 90, 180, 36_500]

/** Items by how often they were taken in the last days before the end of training; beyond those, by how often ever. */
export async function recentPopularity({ train, time }: Pick<Trial, 'train' | 'time'>, validation: () => Validation): Promise<System | Omitted> {
  const name = 'recent-popularity'
  if (time === 'none') return { name, omitted: 'deeds have no time' }
  const { trial, quality } = validation()
  const { best } = await coordinateSearch({ days: 30 }, { days: WINDOWS }, RECALL_TRIALS, ({ days }) => quality(lately(trial.train, days)))
  return lately(train, best.days)

  function lately(dataset: Dataset, days: number): System {
    const recent = counts(dataset, dataset.to + 1 - days * DAY)
    const ever = counts(dataset, 0)
    const order = Array.from(ever.keys()).sort((a, b) => recent[b] - recent[a] || ever[b] - ever[a] || a - b)
    return { name, rank: (_, k) => order.slice(0, k) }
  }
}

type RegionSetting = { days: number; strength: number }

/**
 * Items by how often they are taken in the query's country, backed off to everywhere: a country's counts are its own plus
 * `strength` deeds spread as everywhere's (a Dirichlet prior). Window and strength are tuned.
 */
export async function regionPopularity({ train, time }: Pick<Trial, 'train' | 'time'>, validation: () => Validation): Promise<System | Omitted> {
  const name = 'region-popularity'
  if (train.countries.filter((country) => country !== '').length < 2) return { name, omitted: 'there is no more than one region' }
  const { trial, quality } = validation()
  const grid = { days: time === 'none' ? [36_500] : WINDOWS, strength: [0.01, 3, 10, 30, 100, 300, 1000, 3000] }
  const start: RegionSetting = { days: grid.days.includes(30) ? 30 : 36_500, strength: 100 }
  const { best } = await coordinateSearch(start, grid, RECALL_TRIALS, (setting) => quality(byCountry(trial.train, setting)))
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
      rank({ country }, k) {
        const order = orders.get(country) ?? orderOf(country)
        orders.set(country, order)
        return order.slice(0, k)
      },
    }
  }
}

/** Deeds by item since a moment (Unix seconds), of everyone or of those seen in one of the data set's countries. */
function counts({ items, deeds }: Dataset, since: number, country?: number): Float64Array {
  const count = new Float64Array(items.length)
  for (let k = 0; k < deeds.count; k++) {
    if (deeds.at[k] >= since && (country === undefined || deeds.country[k] === country)) count[deeds.item[k]]++
  }
  return count
}

const mostTaken = (count: Float64Array): number[] => Array.from(count.keys()).sort((a, b) => count[b] - count[a] || a - b)

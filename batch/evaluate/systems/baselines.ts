import type { Config } from '../../config.ts'
import { type Progress, peakMb } from '../../night/stages.ts'
import { trialsOf } from '../search.ts'
import type { Omitted, System, Validation } from '../trial.ts'
import type { OpenTrial } from '../trials/trials.ts'
import { validationOf } from '../validation.ts'
import type { Ease } from './ease.ts'
import { itemKnn } from './item-knn.ts'
import { fitPerUser, MOST_ITEMS, type PerUserSetting, perUser, tunePerUser } from './per-user.ts'
import { perUserRanked } from './per-user-ranked.ts'
import { popularity } from './popularity.ts'
import { recentPopularity } from './recent-popularity.ts'
import { regionPopularity } from './region-popularity.ts'
import { vmisKnn } from './vmis-knn.ts'

/** `peakMb` is what the process had needed at most by then. */
export type Baseline = { system: System | Omitted; seconds: number; peakMb: number }

type Maker = () => Promise<System | Omitted> | System | Omitted

/** What others would do with the same training part, tuned on the same validation with as many trials as ours. */
export async function baselines(
  trial: OpenTrial,
  config: Config,
  wanted: (name: string) => boolean,
  progress: Progress,
): Promise<Baseline[]> {
  const validation = once((): Validation => validationOf(trial.validation()))
  const trials = trialsOf(config)
  const fitted = once(async (): Promise<{ model: Ease; setting: PerUserSetting }> => {
    const setting = await tunePerUser(validation(), trials)
    return { model: fitPerUser(trial, setting), setting }
  })
  const dense = (name: string, make: Maker): [string, Maker] => [name, () => tooMany(trial, name) ?? make()]
  const makers: [string, Maker][] = [
    ['popularity', () => popularity(trial)],
    ['recent-popularity', () => recentPopularity(trial, validation, trials)],
    ['region-popularity', () => regionPopularity(trial, validation, trials)],
    ['item-knn', () => itemKnn(trial, validation, trials)],
    ['vmis-knn', () => vmisKnn(trial, validation, trials)],
    dense('per-user', async () => {
      const { model, setting } = await fitted()
      return perUser(model, setting)
    }),
    dense('per-user-ranked', async () => {
      const { model, setting } = await fitted()
      return perUserRanked(trial, model, setting, config)
    }),
  ]
  const made: Baseline[] = []
  for (const [name, make] of makers) {
    if (!wanted(name)) continue
    progress.begin(name)
    const start = performance.now()
    const system = await make()
    const result = { seconds: (performance.now() - start) / 1000, peakMb: peakMb() }
    progress.end({ name, rows: trial.train.deeds.count, ...result })
    if ('rank' in system && system.setting !== undefined) progress.note(`  ${JSON.stringify(system.setting)}`)
    made.push({ system, ...result })
  }
  return made
}

function tooMany({ train }: OpenTrial, name: string): Omitted | undefined {
  const count = train.items.length
  const most = MOST_ITEMS.toLocaleString('en')
  return count > MOST_ITEMS
    ? { name, omitted: `${count.toLocaleString('en')} items are too many for a dense model (at most ${most})` }
    : undefined
}

/** Makes it at the first call and keeps it. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

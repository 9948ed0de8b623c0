import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { RecallParameters } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { learn } from '../learn/learn.ts'
import { trialView } from '../release/assemble.ts'
import type { ServedView } from './choose.ts'
import { partingTime } from './decisions.ts'
import type { Searched } from './search-families.ts'

const DAY = 86_400
/** What is popular fades fast where counting the last days foretells so much better than counting the last months. */
const FAST = 1.2
const SLOW_DAYS = 30
/** More nights than this ask much the same again. */
const MOST_NIGHTS = 12
/**
 * The share of deeds, at the end of the data, that the nights lie in. Of the last of them only those are known who came
 * back at once; and the fewer weeks there are, the more a ranker learns which few items drew everyone in them.
 */
const SHARE = 0.4

/** Whether what is popular at the parting time tells little of what will be a week later, as with films and news. */
export function fadesFast({ tried, config }: Pick<Searched, 'tried' | 'config'>): boolean {
  const quality = (days: number): number =>
    tried.find(({ family, setting }) => family === 'lists' && setting.halfLifeDays === days)?.quality ?? 0
  return config.timed && quality(config.halfLifeDays) > FAST * quality(SLOW_DAYS)
}

/** The ends of the windows of some nights (Unix seconds, ascending), a day or more apart, over the last part of the deeds. */
export function pastNights(dataset: Dataset): number[] {
  const first = partingTime(dataset, SHARE)
  const apart = Math.max(DAY, Math.ceil((dataset.to - first) / MOST_NIGHTS))
  const nights: number[] = []
  for (let until = first; until <= dataset.to; until += apart) nights.push(until)
  return nights
}

/**
 * What those nights would have served, each learned from what came before it alone: a ranker that learns from decisions as
 * of them sees neighbours, popularity, trends and lists as fresh as they are when it serves.
 */
export async function servedOnNights(
  dataset: Dataset,
  nights: readonly number[],
  config: Config,
  recall: RecallParameters,
  advance: (share: number) => Promise<void>,
): Promise<ServedView> {
  const served: { from: number; view: ReleaseView }[] = []
  for (const until of nights) {
    const learned = await learn({ dataset, until }, config, recall, () => Promise.resolve())
    served.push({ from: until, view: await trialView(dataset, learned, recall) })
    await advance(served.length / nights.length)
  }
  const [{ view }, ...later] = served
  return { ...view, later }
}

import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { Config } from '../config.ts'
import type { Window } from '../learn/interactions.ts'
import { learnAgain } from '../learn/learn.ts'
import { laterView } from '../release/assemble.ts'
import type { ServedView } from './choose.ts'
import type { Searched } from './search-families.ts'

const DAY = 86_400
/** What is popular fades fast where counting the last days foretells so much better than counting the last months. */
const FAST = 1.2
const SLOW_DAYS = 30
/** More nights than this ask much the same again. */
const MOST_NIGHTS = 12

/** Whether what is popular at the parting time tells little of what will be a week later, as with films and news. */
export function fadesFast({ tried, config }: Pick<Searched, 'tried' | 'config'>): boolean {
  const quality = (days: number): number =>
    tried.find(({ family, setting }) => family === 'lists' && setting.halfLifeDays === days)?.quality ?? 0
  return config.timed && quality(config.halfLifeDays) > FAST * quality(SLOW_DAYS)
}

/**
 * What the nights between the window's end and the data's would have served, a day or more apart, had they learned
 * neighbours and vectors no more. A ranker that learns from decisions as of those nights sees popularity, trends and
 * lists as old as they are when it serves, and not as old as the window.
 */
export async function laterNights(
  { dataset, until }: Window,
  view: ReleaseView,
  config: Config,
): Promise<NonNullable<ServedView['later']>> {
  const apart = Math.max(DAY, Math.ceil((dataset.to - until) / MOST_NIGHTS))
  const nights: { from: number; view: ReleaseView }[] = []
  for (let from = until + apart; from <= dataset.to; from += apart) {
    const again = learnAgain({ dataset, until: from }, view.core, config, view.manifest.recall)
    nights.push({ from, view: await laterView(view, again) })
  }
  return nights
}

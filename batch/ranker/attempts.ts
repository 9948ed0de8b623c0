import type { Settings } from '../../shared/release/manifest.ts'
import type { Config, NumericSetting } from '../config.ts'
import type { Family } from '../learn/families.ts'

/** What a search of settings rests on besides its data and configuration. */
export type SearchStart = {
  /** What the last search found; null where there is none to go on from. */
  start: Settings | null
  /** Which day the data ends on, in days since 1970. */
  day: number
}

type Tries = Pick<Family, 'tried'>

export const settingsOf = ({ tried }: Tries, config: Config): Settings =>
  Object.fromEntries(Object.keys(tried).map((name) => [name, config[name as NumericSetting]]))

/**
 * The changes to try, one after the other, to the settings that a family starts from: what its configuration and its
 * grid hold besides. A search that starts anew takes them from the most telling on. One that goes on from what was found
 * takes up each day where the day before ended, so that few trials a night still get round the whole grid.
 */
export function attemptsOf(family: Tries, config: Config, { start, day }: SearchStart, most: number): Settings[] {
  const configured = settingsOf(family, config)
  const current = { ...configured, ...start }
  const all = Object.entries(family.tried).flatMap(([name, values]) =>
    [...new Set([configured[name], ...values])].filter((value) => value !== current[name]).map((value) => ({ [name]: value })),
  )
  const first = start === null || all.length === 0 ? 0 : (day * most) % all.length
  return [...all.slice(first), ...all.slice(0, first)].slice(0, most)
}

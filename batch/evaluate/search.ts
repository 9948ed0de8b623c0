import { randomStream } from '../../shared/random.ts'
import type { Config } from '../config.ts'
import { families } from '../learn/families.ts'
import { RECALL_TRIALS } from '../ranker/choose.ts'

/** As many settings as our own search judges, or more: those of each model family and of item vectors, and those of recall. */
export const trialsOf = ({ trials }: Config): number => (families.length + 1) * trials + RECALL_TRIALS

/** For every parameter the values that are tried. */
export type Grid<P> = { readonly [K in keyof P]: readonly P[K][] }

/**
 * Coordinate search: one parameter after the other takes each of its values while the others stay, round after round until
 * a round changes nothing; what is left of `trials` goes to settings drawn at random, so that a bad start does not decide.
 * A setting is judged once.
 * @param quality higher is better; on a tie the earlier setting stays
 */
export async function coordinateSearch<P extends Record<string, number>>(
  start: P,
  grid: Grid<P>,
  trials: number,
  quality: (parameters: P) => number | Promise<number>,
): Promise<P> {
  const names = Object.keys(grid)
  const valuesOf = (name: string): readonly number[] => grid[name]
  const judged = new Set<string>()
  let best = start
  let most = Number.NEGATIVE_INFINITY
  const judge = async (attempt: P): Promise<boolean> => {
    const key = names.map((name) => attempt[name]).join(' ')
    if (judged.size >= trials || judged.has(key)) return false
    judged.add(key)
    const reached = await quality(attempt)
    if (reached <= most) return false
    most = reached
    best = attempt
    return true
  }
  await judge(start)
  for (let changed = true; changed; ) {
    changed = false
    for (const name of names) for (const value of valuesOf(name)) if (await judge({ ...best, [name]: value })) changed = true
  }
  const random = randomStream(names.length)
  const settings = names.reduce((product, name) => product * valuesOf(name).length, 1)
  for (let draw = 0; draw < 20 * trials && judged.size < Math.min(trials, settings); draw++) {
    const drawn = names.map((name) => [name, valuesOf(name)[Math.floor(random() * valuesOf(name).length)]])
    await judge({ ...start, ...Object.fromEntries(drawn) })
  }
  return best
}

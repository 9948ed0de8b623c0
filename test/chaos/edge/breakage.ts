import { randomStream } from '../../../shared/random.ts'
import { type Breakage, unbroken } from '../control.ts'

declare global {
  /** Which protections of the weakened build do not hold (test/chaos/weakened.ts). */
  var isWithout: (name: string) => boolean
}

/** What is broken now; set over the control route, and for the time before that by the variable CHAOS. */
export const breakage: Breakage = { ...unbroken }

let random = randomStream(1)

export function breakAs(changes: Partial<Breakage>, seed?: number): void {
  Object.assign(breakage, changes)
  if (seed !== undefined) random = randomStream(seed)
}

/** Whether it strikes this time. */
export const strikes = (share: number): boolean => random() < share
export const drawn = (): number => random()

globalThis.isWithout = (name) => breakage.without.includes(name)

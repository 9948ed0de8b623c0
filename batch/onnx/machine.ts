import { createRequire } from 'node:module'

/** Milliseconds: what every clock of this realm shows, and how far it goes on each time it is looked at. */
export type Clock = { now: number; step: number }

/** A clock that stands, as a Worker's does while it computes, at no time and at some; and one that goes. */
export const CLOCKS: readonly Clock[] = [
  { now: 0, step: 0 },
  { now: 1.75e12, step: 0 },
  { now: 1.75e12, step: 0.37 },
]

let clock: Clock = { now: 0, step: 0 }

export function setClock(to: Clock): void {
  clock = { ...to }
}

/** Makes this realm one that does not know when, where and by whom it is used: the memory that is saved here must not tell. */
export function forgetTheMachine(): void {
  const look = (): number => {
    clock.now += clock.step
    return clock.now
  }
  Date.now = () => Math.floor(look())
  Date.prototype.getTimezoneOffset = () => 0
  Object.defineProperty(globalThis, 'performance', { value: { timeOrigin: 0, now: look } })
  Object.defineProperty(globalThis, 'navigator', { value: { language: 'en', hardwareConcurrency: 1 } })
  process.argv[1] = './nightjar'
  const os = createRequire(import.meta.url)('node:os') as { cpus(): unknown[] }
  os.cpus = () => [{}]
}

import { breakage } from './breakage.ts'

/** The platform's own clock. */
const RealDate = Date

/** Where the broken clock was when it last changed its pace. */
let since = { real: RealDate.now(), told: RealDate.now(), speed: 1 }

export function told(): number {
  if (breakage.clockStill) return since.told + breakage.clockOff
  return since.told + (RealDate.now() - since.real) * since.speed + breakage.clockOff
}

/** To be called before the clock's pace changes, so that it goes on from where it is. */
export function rewind(): void {
  since = { real: RealDate.now(), told: told() - breakage.clockOff, speed: since.speed }
}
export function pace(speed: number): void {
  since.speed = speed
}

/** When, by the platform's clock, it is that late by the broken one. */
export const realTime = (at: number): number => RealDate.now() + (at - told()) / breakage.speed

class BrokenDate extends RealDate {
  constructor(...parameters: unknown[]) {
    if (parameters.length === 0) super(told())
    else super(...(parameters as [number]))
  }
  static override now(): number {
    return told()
  }
}

globalThis.Date = BrokenDate as DateConstructor

import { errorsOf, type Load, newTally, type Tally } from './client.ts'
import { type Breakage, type Deed, unbroken } from './control.ts'
import type { Stage, Theatre } from './stage.ts'
import type { Edition } from './world.ts'

/** One line of the result. `survived` of `tried` came out as they must; `errors` are answers that did not. */
export type Row = {
  fault: string
  tried: number
  survived: number
  lost: number
  doubled: number
  errors: number
  /** In a counter-test: the protections that did not hold. Something must then have gone wrong. */
  without?: string
  /** What went wrong, and how often. */
  wrong: Record<string, number>
}

export const rowOf = (fault: string, tried: number, without: readonly string[]): Row => ({
  fault,
  tried,
  survived: 0,
  lost: 0,
  doubled: 0,
  errors: 0,
  ...(without.length > 0 && { without: without.join(' + ') }),
  wrong: {},
})

/** A fault with a stage of its own; plays itself and its counter-tests, and tells each row. */
export type Fault = {
  name: string
  /** Too slow for the quick part. */
  slow?: true
  play(theatre: Theatre, options: { seed: number; quick: boolean; told: (row: Row) => void }): Promise<void>
}

/** A fault of what is around a running edge, and how it strikes. */
export type EdgeFault = {
  name: string
  /** Too slow for the quick part. */
  slow?: true
  /** Protections; for each, or each few that stand for one another, there is a counter-test without them. */
  protections: readonly string[][]
  strike(scene: Scene): Promise<void>
}

/** What a fault does things with. */
export class Scene {
  readonly stage: Stage
  readonly tag: string
  readonly tally: Tally = newTally()
  private readonly without: string[]
  private readonly seed: number
  private readonly scale: number

  /** @param scale of how many requests are made */
  constructor(stage: Stage, tag: string, without: readonly string[], seed: number, scale: number) {
    this.stage = stage
    this.tag = tag
    this.without = [...without]
    this.seed = seed
    this.scale = scale
  }

  /** Breaks things, and puts load on the edge while they are broken; something is done to it before each so many requests. */
  async under(
    changes: Partial<Breakage>,
    { requests = 120, connections = 6, every, deed = {}, ...load }: Partial<Omit<Load, 'tag'>> & { every?: number; deed?: Deed } = {},
  ): Promise<Tally> {
    await this.stage.edge().breakAs({ ...changes, without: this.without, seed: this.seed })
    const told = await this.stage.client.load(
      { ...load, requests: Math.max(connections, Math.round(requests * this.scale)), connections, tag: this.tag },
      every === undefined ? undefined : async (n) => (n % every === 0 ? this.stage.edge().breakAs(deed) : undefined),
    )
    this.tally.asked += told.asked
    this.tally.whole += told.whole
    for (const [error, count] of told.errors) this.error(error, count)
    return told
  }

  /** Something that must not happen did. */
  error(what: string, count = 1): void {
    this.tally.errors.set(what, (this.tally.errors.get(what) ?? 0) + count)
  }

  /** One thing to be seen beside the answers. */
  check(holds: boolean, otherwise: string): void {
    this.tally.asked++
    if (holds) this.tally.whole++
    else this.error(otherwise)
  }

  /** Mends what was broken; the edge has to find its way back to this edition by itself. */
  async recover(n = 1): Promise<void> {
    // Where the clock is by now it stays.
    const { clockOff: _, ...rest } = unbroken
    await this.stage.edge().breakAs({ ...rest, without: this.without })
    this.check(await this.stage.serves(await this.edition(n)), `edition ${n} was not served in the end`)
  }

  edition = (n: number): Promise<Edition> => this.stage.theatre.edition(n)
  publish = async (n: number): Promise<void> => this.stage.publish(await this.edition(n))

  /** The row, with the account of events still to be settled. */
  row(fault: string): Row {
    const { asked, whole } = this.tally
    const errors = errorsOf(this.tally)
    return { ...rowOf(fault, asked, this.without), survived: whole, errors, wrong: Object.fromEntries(this.tally.errors) }
  }
}

import { setTimeout } from 'node:timers/promises'
import { recordDevServer } from '../../batch/stores/dev-server.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { UNHURRIED_MS } from './control.ts'
import type { Row } from './fault.ts'
import { nightInput } from './night-input.ts'
import { nightEdition, nightItems, runWholeNight, writeCatalogue, writeHistory } from './nights.ts'
import { openStage, type Stage, type StageOptions, type Theatre } from './stage.ts'

/** An edge whose releases are made by nights. */
export type NightStage = Stage & {
  /** The number of the catalogue that the last night saw. */
  edition: number
  /** So that nights which write to `directory` find the edge. */
  beUp(directory?: string): void
  /** Which edition is served; NaN where it is none. */
  served(): Promise<number>
  /** The same, once an isolate has read and follows what the last night published, or 30 s later. */
  servedAfterNight(): Promise<number>
  /** A night that gets through, on a new catalogue, and is then served. @throws Error when it is not */
  night(directory?: string, without?: readonly string[]): Promise<void>
}

/** @param end where the history ends, Unix milliseconds */
export async function openNightStage(theatre: Theatre, options: StageOptions, end = Date.now()): Promise<NightStage> {
  const stage = await openStage(theatre, {
    ...options,
    breakage: { answerWithin: UNHURRIED_MS, ...options.breakage },
    nights: nightEdition,
    items: nightItems,
  })
  const nights: NightStage = {
    ...stage,
    edition: 0,
    beUp(directory = stage.directory) {
      const { home, pid } = stage.edge()
      recordDevServer(directory, { url: home, pid })
    },
    async served() {
      const answer = await fetch(`${stage.edge().url}/v1/lists/*/popular`)
      const { items } = (await answer.json()) as RecommendationAnswer
      return Number(items[0]?.values.edition)
    },
    async servedAfterNight() {
      const deadline = Date.now() + 30_000
      for (;;) {
        const edition = await nights.served()
        if (edition === nights.edition || Date.now() > deadline) return edition
        await setTimeout(100)
      }
    },
    async night(directory = stage.directory, without = []) {
      writeCatalogue(stage.directory, ++nights.edition)
      await runWholeNight({ directory, input: stage.directory, without })
      if ((await nights.servedAfterNight()) !== nights.edition) throw new Error(`edition ${nights.edition} was not served after its night`)
    },
  }
  try {
    nights.beUp()
    writeHistory(stage.directory, end)
    await nights.night()
    return nights
  } catch (error) {
    await stage.close()
    throw error
  }
}

/** The row with its account: what the last night has brought from the archive to `directory`, read as it read it. */
export async function settledByNight(
  row: Row,
  { ledger }: Stage,
  tag: string,
  directory: string,
  without: readonly string[] = [],
): Promise<Row> {
  const { lost, doubled } = ledger.account(tag, await nightInput(directory, { without, archive: false }))
  return { ...row, lost, doubled, errors: Object.values(row.wrong).reduce((sum, count) => sum + count, 0) }
}

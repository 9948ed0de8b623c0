import { setTimeout } from 'node:timers/promises'
import { randomStream } from '../../../shared/random.ts'
import { UNHURRIED_MS } from '../control.ts'
import { type Fault, type Row, rowOf } from '../fault.ts'
import { nightInput } from '../night-input.ts'
import { type NightStage, openNightStage, settledByNight } from '../night-stage.ts'
import { startNight, writeCatalogue } from '../nights.ts'
import { openStage, type Stage, type Theatre, writeOut } from '../stage.ts'

/** Stages of a night after whose end it is killed, or at once; most of its writing comes after the last. */
const STAGES = ['', 'ingest', 'ranker', 'learn', 'packs', 'gates', 'gates']
/** A flush that waits a minute comes after one second. */
const SPEED = 60
const TAG = 'kill'

const COUNTS_ONCE = ['an event counts once']
const KEPT_FIRST = ['events are kept before they are acknowledged']
const POINTER_LAST = ['the pointer moves last']

export const killFaults: readonly Fault[] = [
  {
    name: 'kill-9-edge',
    async play(theatre, { seed, quick, told }) {
      const { row, stage } = await killEdge(theatre, { seed, kills: quick ? 4 : 28 })
      told(await settled(row, stage))
      // Of the same archive: events came twice, because clients do not always learn that they were answered.
      told(await settled({ ...rowOf(row.fault, row.tried, COUNTS_ONCE), survived: row.survived }, stage, COUNTS_ONCE))
      const early = await killEdge(theatre, { seed, kills: quick ? 1 : 6, without: KEPT_FIRST })
      told(await settled(early.row, early.stage))
    },
  },
  {
    name: 'kill-9-night',
    slow: true,
    async play(theatre, { seed, told }) {
      told(await killNight(theatre, { seed, kills: 22 }))
      told(await killNight(theatre, { seed, kills: 8, without: POINTER_LAST }))
    },
  },
]

type KillOptions = { seed: number; kills: number; without?: readonly string[] }

const BUSY = { requests: 0, connections: 4, tag: TAG, restarts: true, flushes: true, meant: true } as const

/** The edge is killed at random moments while visitors browse and buy, and writes its events out meanwhile. */
async function killEdge(theatre: Theatre, { seed, kills, without = [] }: KillOptions): Promise<{ row: Row; stage: Stage }> {
  const stage = await openStage(theatre, {
    weakened: without.length > 0,
    seed,
    breakage: { speed: SPEED, answerWithin: UNHURRIED_MS, without: [...without] },
  })
  const random = randomStream(seed)
  const over = new AbortController()
  const row = rowOf('kill-9-edge', kills, without)
  try {
    const load = stage.client.load({ ...BUSY, until: over.signal })
    for (; row.survived < kills; row.survived++) {
      await setTimeout(50 + 500 * random())
      await stage.crash()
    }
    over.abort()
    row.wrong = Object.fromEntries((await load).errors)
    await writeOut(stage)
  } finally {
    over.abort()
    await stage.close()
  }
  return { row, stage }
}

async function settled(row: Row, { ledger, directory }: Stage, without: readonly string[] = []): Promise<Row> {
  const { lost, doubled } = ledger.account(TAG, await nightInput(directory, { without }))
  return { ...row, lost, doubled, errors: Object.values(row.wrong).reduce((sum, count) => sum + count, 0) }
}

/** Nights are killed at random moments under the same load, the last gets through; what is live stays live, and whole. */
async function killNight(theatre: Theatre, { seed, kills, without = [] }: KillOptions): Promise<Row> {
  const stage = await openNightStage(theatre, { seed, breakage: { speed: SPEED } })
  const random = randomStream(seed)
  const over = new AbortController()
  const row = rowOf('kill-9-night', kills, without)
  const wrong = (what: string, count = 1): void => {
    row.wrong[what] = (row.wrong[what] ?? 0) + count
  }
  try {
    const load = stage.client.load({ ...BUSY, until: over.signal })
    for (let kill = 0; kill < kills; kill++) {
      const before = await stage.served()
      await killOne(stage, random, without)
      // The pointer may have moved just before.
      const after = await stage.served()
      if (after === before || after === stage.edition) row.survived++
      else wrong(`edition ${after} was served where ${before} or ${stage.edition} was live`)
    }
    over.abort()
    for (const [what, count] of (await load).errors) wrong(what, count)
    await stage.night()
  } finally {
    over.abort()
    await stage.close()
  }
  return settledByNight(row, stage, TAG, stage.directory)
}

async function killOne(stage: NightStage, random: () => number, without: readonly string[]): Promise<void> {
  writeCatalogue(stage.directory, ++stage.edition)
  const night = startNight({ directory: stage.directory, without })
  await night.reaches(STAGES[Math.floor(STAGES.length * random())])
  await setTimeout(300 * random())
  night.kill()
  await night.ended
}

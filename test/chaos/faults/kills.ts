import { setTimeout } from 'node:timers/promises'
import { recordDevServer } from '../../../batch/stores/dev-server.ts'
import { randomStream } from '../../../shared/random.ts'
import type { RecommendationAnswer } from '../../../shared/schemas/recommendations.ts'
import { type Fault, type Row, rowOf } from '../fault.ts'
import { nightInput } from '../night-input.ts'
import { nightEdition, nightItems, runWholeNight, startNight, writeCatalogue, writeHistory } from '../nights.ts'
import { openStage, type Stage, type Theatre, writeOut } from '../stage.ts'

export const killFaults: readonly Fault[] = [
  {
    name: 'kill-9',
    async play(theatre, { seed, quick, told }) {
      const { row, stage } = await kill(theatre, { seed, edgeKills: quick ? 4 : 28, nightKills: quick ? 0 : 22 })
      told(await settled(row, stage))
      // Of the same archive: events came twice, because clients do not always learn that they were answered.
      told(await settled({ ...rowOf(row.fault, row.tried, COUNTS_ONCE), survived: row.survived }, stage, COUNTS_ONCE))
      const early = await kill(theatre, { seed, edgeKills: quick ? 1 : 6, nightKills: 0, without: KEPT_FIRST })
      told(await settled(early.row, early.stage))
      if (quick) return
      const pointer = await kill(theatre, { seed, edgeKills: 0, nightKills: 8, without: POINTER_LAST })
      told(await settled(pointer.row, pointer.stage))
    },
  },
]

const COUNTS_ONCE = ['an event counts once']
const KEPT_FIRST = ['events are kept before they are acknowledged']
const POINTER_LAST = ['the pointer moves last']

type KillOptions = { seed: number; edgeKills: number; nightKills: number; without?: readonly string[] }

/** Stages of a night after whose end it is killed, or at once. */
const STAGES = ['', 'ingest', 'ranker', 'learn', 'packs', 'gates', 'gates']
/** A flush that waits a minute comes after one second. */
const SPEED = 60

/**
 * The edge and the night are killed in turn, at random moments, while visitors browse and buy. After the last kill a night
 * gets through: what it learned from must have every acknowledged event once.
 */
async function kill(theatre: Theatre, { seed, edgeKills, nightKills, without = [] }: KillOptions): Promise<{ row: Row; stage: Stage }> {
  const stage = await openStage(theatre, {
    weakened: without.length > 0,
    seed,
    breakage: { speed: SPEED, without: [...without] },
    ...(nightKills > 0 && { nights: nightEdition, items: nightItems }),
  })
  const random = randomStream(seed)
  const over = new AbortController()
  let edition = 1
  const night = { directory: stage.directory, without }
  const row = rowOf('kill-9', edgeKills + nightKills, without)
  const wrong = (what: string): unknown => (row.wrong[what] = (row.wrong[what] ?? 0) + 1)
  try {
    const nextNight = async (): Promise<void> => {
      writeCatalogue(stage.directory, edition)
      await runWholeNight(night)
      if (!(await serving(stage, edition))) wrong(`night ${edition} was not served`)
    }
    if (nightKills > 0) {
      beUp(stage)
      writeHistory(stage.directory, Date.now())
      await nextNight()
    }
    const load = stage.client.load({
      requests: 0,
      until: over.signal,
      connections: 4,
      tag: 'kill',
      restarts: true,
      flushes: true,
      meant: true,
    })
    for (let kill = 0; kill < edgeKills + nightKills; kill++) {
      const before = await served(stage)
      // Those of the night are spread among those of the edge.
      if (Math.floor(((kill + 1) * nightKills) / (edgeKills + nightKills)) > Math.floor((kill * nightKills) / (edgeKills + nightKills))) {
        writeCatalogue(stage.directory, ++edition)
        const started = startNight(night)
        await started.reaches(STAGES[Math.floor(STAGES.length * random())])
        await setTimeout(300 * random())
        started.kill()
        await started.ended
      } else {
        await setTimeout(50 + 500 * random())
        await stage.crash()
        beUp(stage)
      }
      // Whatever was killed: what was live is, or what the night had made live just before.
      const after = await served(stage)
      if (after === before || after === edition) row.survived++
      else wrong(`edition ${after} was served where ${before} or ${edition} was live`)
    }
    over.abort()
    const tally = await load
    for (const [what, count] of tally.errors) row.wrong[what] = (row.wrong[what] ?? 0) + count
    edition++
    if (nightKills > 0) await nextNight()
    else await writeOut(stage)
  } finally {
    over.abort()
    await stage.close()
  }
  return { row, stage }
}

/** Where nights ran, the last one's own copy of the archive counts, read as it read it. */
async function settled(row: Row, stage: Stage, without: readonly string[] = []): Promise<Row> {
  const { lost, doubled } = stage.ledger.account('kill', await nightInput(stage.directory, { without, archive: !stage.nights }))
  const errors = Object.values(row.wrong).reduce((sum, count) => sum + count, 0)
  return { ...row, lost, doubled, errors }
}

/** So that nights find the edge. */
function beUp(stage: Stage): void {
  recordDevServer(stage.directory, { url: stage.edge().home, pid: stage.edge().pid })
}

/** Which edition is served; NaN where it is none. */
async function served(stage: Stage): Promise<number> {
  const answer = await fetch(`${stage.edge().url}/v1/lists/*/popular`)
  const { items } = (await answer.json()) as RecommendationAnswer
  return Number(items[0]?.values.edition)
}

async function serving(stage: Stage, edition: number): Promise<boolean> {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await setTimeout(100))
    if ((await served(stage)) === edition) return true
  return false
}

import { type EdgeFault, type Row, Scene } from './fault.ts'
import { nightInput } from './night-input.ts'
import { openStage, type Theatre, writeOut } from './stage.ts'

export type PlayOptions = { seed: number; scale: number; told: (row: Row) => void }

/**
 * Faults in turn on one edge that holds, and on another one without each of their protections. When all have struck, the account
 * of each fault's events is settled: what the next night would learn from has every acknowledged one once.
 */
export async function playOnEdge(theatre: Theatre, faults: readonly EdgeFault[], options: PlayOptions): Promise<Row[]> {
  const sound = faults.map((fault) => ({ fault, without: [] }))
  const weakened = faults.flatMap((fault) => fault.protections.map((without) => ({ fault, without })))
  return [...(await playOn(theatre, sound, false, options)), ...(await playOn(theatre, weakened, true, options))]
}

type Act = { fault: EdgeFault; without: readonly string[] }

async function playOn(theatre: Theatre, acts: readonly Act[], weakened: boolean, { seed, scale, told }: PlayOptions): Promise<Row[]> {
  if (acts.length === 0) return []
  const stage = await openStage(theatre, { weakened, seed })
  const rows: Row[] = []
  try {
    for (const [i, { fault, without }] of acts.entries()) {
      const scene = new Scene(stage, `${fault.name}-${i}`, without, seed + i, scale)
      await fault.strike(scene)
      rows.push(scene.row(fault.name))
      await stage.edge().breakAs({ without: [], cold: true })
    }
    await writeOut(stage)
  } finally {
    await stage.close()
  }
  const counts = await nightInput(stage.directory)
  return rows.map((row, i) => {
    const { lost, doubled } = stage.ledger.account(`${row.fault}-${i}`, counts)
    const settled = { ...row, lost, doubled }
    told(settled)
    return settled
  })
}

import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import getPort from 'get-port'
import { bringShoppers } from '../../batch/edge-bench/shoppers.ts'
import { stateOf } from '../../batch/stores/open-stores.ts'
import type { BuiltWorker } from '../../scripts/built-edge.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { buildChaosWorker } from './build.ts'
import { ADMIN, type ChaosEdge, startChaosEdge, WRITE_KEY } from './chaos-edge.ts'
import { Client } from './client.ts'
import type { Breakage } from './control.ts'
import { type Judge, makeJudge } from './judge.ts'
import { Ledger } from './ledger.ts'
import { type Edition, makeEdition, makeEditionWithoutNumbers, makeSite, publishEdition } from './world.ts'

/** What every fault needs, made once. */
export type Theatre = {
  folder: string
  site: string
  /** Takes what the runtimes print. */
  output: Writable
  bundled: ReadonlyMap<string, string>
  worker(weakened: boolean): Promise<BuiltWorker>
  /** Release number `n`; 1 is live at first after 0. WITHOUT_NUMBERS has a ranker of no use. */
  edition(n: number): Promise<Edition>
  close(): void
}

/** @param log a file for what the runtimes print */
export async function openTheatre(log: string | undefined): Promise<Theatre> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-chaos-'))
  const editions = new Map<number, Promise<Edition>>()
  const workers = new Map<boolean, Promise<BuiltWorker>>()
  const once = <K, V>(known: Map<K, V>, key: K, make: () => V): V => {
    const made = known.get(key) ?? make()
    known.set(key, made)
    return made
  }
  const edition = (n: number): Promise<Edition> =>
    once(editions, n, () => (n === WITHOUT_NUMBERS ? makeEditionWithoutNumbers(n) : makeEdition(n)))
  const site = join(folder, 'site')
  return {
    folder,
    site,
    output: log === undefined ? new Writable({ write: (_chunk, _encoding, done) => done() }) : createWriteStream(log),
    bundled: makeSite(site, await edition(1)),
    worker: (weakened) => once(workers, weakened, () => buildChaosWorker(join(folder, weakened ? 'weakened' : 'sound'), weakened)),
    edition,
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** One edge on state of its own, with releases, visitors, and someone who keeps account. */
export type Stage = {
  theatre: Theatre
  directory: string
  /** Whether its releases are made by nights. */
  nights: boolean
  edge(): ChaosEdge
  judge: Judge
  ledger: Ledger
  client: Client
  /** Ends the runtime as a crash does, and starts another on the same state. */
  crash(): Promise<void>
  /** Makes a release live, as the night does. */
  publish(edition: Edition): Promise<void>
  /** Waits until answers are of this release and no rung is lost; the broken clock is moved on meanwhile. @returns whether it came to that */
  serves(edition: Edition): Promise<boolean>
  /** Waits until answers are ranked by ONNX. @returns whether it came to that */
  ranksByOnnx(): Promise<boolean>
  close(): Promise<void>
}

export type StageOptions = {
  weakened?: boolean
  seed: number
  breakage?: Partial<Breakage>
  variables?: Record<string, string>
  nights?: (edition: number) => ReadonlyMap<string, string>
  items?: readonly string[]
}

export const WITHOUT_NUMBERS = 66
const SHOPPERS = 12
/** How long recovering may take: by the clock of the edge, and by how often it is asked. */
const RECOVERY_STEPS = 60
const STEP_MS = 10_000

export async function openStage(
  theatre: Theatre,
  { weakened = false, seed, breakage, variables, nights, ...options }: StageOptions,
): Promise<Stage> {
  const directory = mkdtempSync(join(theatre.folder, 'stage-'))
  const port = await getPort()
  const worker = await theatre.worker(weakened)
  const start = (): Promise<ChaosEdge> =>
    startChaosEdge(worker, {
      // As `wrangler dev` lays state out, where the night looks for it.
      persist: join(stateOf(directory), 'v3'),
      port,
      site: theatre.site,
      output: theatre.output,
      ...(breakage && { breakage }),
      ...(variables && { variables }),
    })
  let edge = await start()
  const judge = makeJudge(theatre.bundled, nights)
  const ledger = new Ledger()
  const publish = async (edition: Edition): Promise<void> => {
    judge.knows(edition)
    await publishEdition(edge.stores, edition)
  }
  if (nights === undefined) for (const n of [0, 1]) await publish(await theatre.edition(n))
  const { valuesOf } = await theatre.edition(1)
  const items = options.items ?? [...valuesOf.keys()].slice(0, 500)
  const shoppers = await bringShoppers(edge.url, items, SHOPPERS, WRITE_KEY)
  const ask = async (): Promise<RecommendationAnswer | null> => {
    const body = JSON.stringify({ writeKey: WRITE_KEY, ...shoppers[0], consent: 'granted' })
    const answer = await fetch(`${edge.url}/v1/recommendations`, { method: 'POST', body }).catch(() => null)
    return answer?.ok ? ((await answer.json().catch(() => null)) as RecommendationAnswer | null) : null
  }
  return {
    theatre,
    directory,
    nights: nights !== undefined,
    edge: () => edge,
    judge,
    ledger,
    client: new Client(edge.url, judge, ledger, shoppers, items, seed),
    async crash() {
      await edge.kill()
      edge = await start()
    },
    publish,
    async serves({ release }) {
      for (let step = 0; step < RECOVERY_STEPS; step++) {
        const told = await ask()
        if (told?.release === release && (told.rung === 'onnx' || told.rung === 'reference')) return true
        await edge.breakAs({ later: STEP_MS })
        await setTimeout(10)
      }
      return false
    },
    async ranksByOnnx() {
      for (let step = 0; step < RECOVERY_STEPS; step++) {
        if ((await ask())?.rung === 'onnx') return true
        // A start that failed is not followed by the next within a minute.
        await edge.breakAs({ later: STEP_MS })
        await setTimeout(100)
      }
      return false
    },
    close: () => edge.stop(),
  }
}

/** Every event that waits, to the archive. */
export async function writeOut(stage: Stage): Promise<void> {
  const answer = await fetch(`${stage.edge().url}/v1/admin/flush`, { method: 'POST', headers: ADMIN })
  if (!answer.ok) throw new Error(`the edge does not write out its events: ${answer.status} ${await answer.text()}`)
}

import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { NightReport } from '../../batch/night/night.ts'
import { randomStream } from '../../shared/random.ts'
import { ADMIN_KEY } from './chaos-edge.ts'

const NIGHTJAR = join(import.meta.dirname, '../../batch/bin/nightjar.mjs')
const WEAKEN = join(import.meta.dirname, 'weaken-node.ts')
const ITEMS = 120
const VISITORS = 150
const DAY_MS = 86_400_000

export const nightItems: readonly string[] = Array.from({ length: ITEMS }, (_, i) => `item-${String(i).padStart(3, '0')}`)

const titleOf = (id: string, edition: number): string => `${id} as of night ${edition}`
const priceOf = (id: string, edition: number): number => Number(id.slice(5)) + edition / 100

/** What the items look like of a release that the night made from edition `edition` of the catalogue. */
export const nightEdition = (edition: number): ReadonlyMap<string, string> =>
  new Map(
    nightItems.map((id) => [
      id,
      JSON.stringify({ edition: String(edition), title: titleOf(id, edition), category: 'c', price: priceOf(id, edition) }),
    ]),
  )

/** A small history to learn from, which is always the same. @param end Unix milliseconds */
export function writeHistory(directory: string, end: number): void {
  const random = randomStream(1)
  const rows = Array.from({ length: VISITORS }, (_, visitor) =>
    Array.from({ length: 8 }, () => {
      const item = nightItems[Math.floor(ITEMS * random() ** 2)]
      return `v${visitor},${item},${Math.floor((end - 60 * DAY_MS * random()) / 1000)},GB`
    }),
  ).flat()
  writeFileSync(join(directory, 'events.csv'), `visitor,item,at,country\n${rows.join('\n')}\n`)
  writeFileSync(join(directory, 'mapping.json'), JSON.stringify({ items: { properties: ['edition'] } }))
  writeFileSync(join(directory, 'quick.json'), JSON.stringify({ decisions: 100, epochs: 1, trials: 1 }))
}

/** The catalogue of this night: every item says so. */
export function writeCatalogue(directory: string, edition: number): void {
  const rows = nightItems.map((id) => `${id},${titleOf(id, edition)},c,${priceOf(id, edition)},${edition}`)
  writeFileSync(join(directory, 'items.csv'), `item,title,category,price,edition\n${rows.join('\n')}\n`)
}

export type NightEnd = { code: number | null; signal: string | null; report: NightReport | null; complaint: string }

export type StartedNight = {
  ended: Promise<NightEnd>
  /** Resolves when the night says that it begins with this stage, or ends before. */
  reaches(stage: string): Promise<void>
  kill(): void
}

export type NightSetting = {
  /** What the night writes beside its state; its history and catalogue lie in `directory`. */
  directory: string
  /** Protections that do not hold. */
  without?: readonly string[]
  /** Where its input lies, if that is not `directory`. */
  input?: string
  json?: boolean
}

/** `npx nightjar nightly` in a process of its own. */
export function startNight({ directory, input = directory, without = [], json = false }: NightSetting): StartedNight {
  const files = ['--events', join(input, 'events.csv'), '--items', join(input, 'items.csv'), '--mapping', join(input, 'mapping.json')]
  const child = spawn(
    process.execPath,
    [
      ...(without.length > 0 ? ['--import', WEAKEN] : []),
      ...[NIGHTJAR, 'nightly', '--source', 'csv', ...files, '--config', join(input, 'quick.json'), '--directory', directory, '--force'],
      ...(json ? ['--json'] : []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ADMIN_KEY, NIGHTJAR_WITHOUT: JSON.stringify(without) } },
  )
  let said = ''
  let complaint = ''
  let ended = false
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  return {
    ended: new Promise((resolve) =>
      child.once('close', (code, signal) => {
        ended = true
        resolve({ code, signal, complaint, report: json && said.startsWith('{') ? (JSON.parse(said) as NightReport) : null })
      }),
    ),
    async reaches(stage) {
      while (!ended && !said.includes(stage)) await setTimeout(2)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A night that must get through. @throws Error when it does not */
export async function runWholeNight(setting: NightSetting): Promise<NightReport> {
  const { code, report, complaint } = await startNight({ ...setting, json: true }).ended
  if (code !== 0 || report === null) throw new Error(`the night ended with ${code}: ${complaint}`)
  return report
}

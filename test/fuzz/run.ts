import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { parseOptions } from '../../scripts/parse-options.ts'
import { runCodecs } from './codec-run.ts'
import { openEdges, publishNight } from './edge.ts'
import type { Held } from './memory.ts'
import { type RequestRun, type Row, runRequests } from './request-run.ts'

const HELP = `npm run test:fuzz               requests that no client should send, and bytes that nobody wrote
  -- --requests <n>        how many requests to the Worker in workerd; by default 100000, 0 for none
  -- --mutations <n>       how many changed packs, tokens, texts to the readers; by default 1000000, 0 for none
  -- --seed <n>            what they are drawn by; by default 1
  -- --json <file>         also write the rows, and what was found, there
`

/** Objects are put to sleep when nobody asks for them for so long; then what the isolate holds is its own. */
const OBJECTS_SLEEP_MS = 12_000

/** fast-check's seeds have 32 bits, of which steps and lanes take their part. */
const MOST_SEED = 2000

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseOptions({
    options: {
      requests: { type: 'string', default: '100000' },
      mutations: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return said(HELP, 0)
  const numbers = [values.requests, values.mutations, values.seed].map(Number)
  if (numbers.some((number) => !Number.isSafeInteger(number) || number < 0))
    return said('requests, mutations and seed are whole numbers; --help lists the options\n', 2)
  const [requests, mutations, seed] = numbers
  if (seed > MOST_SEED) return said(`the seed is at most ${MOST_SEED}\n`, 2)
  if (values.json !== undefined && !isWritable(values.json)) return said(`${values.json} cannot be written\n`, 2)
  const attacked = requests === 0 ? null : await attackWorker(seed, requests)
  const codecs = mutations === 0 ? null : await runCodecs(seed, mutations, told('mutations', mutations))
  const rows = [...(attacked?.rows ?? []), ...(codecs?.rows ?? [])]
  process.stdout.write(`${table(rows)}\n`)
  const failures = [...(attacked?.campaign.failures ?? []), ...(codecs?.failures ?? [])]
  if (attacked !== null) process.stdout.write(summary(attacked))
  for (const failure of failures) process.stdout.write(`\n${JSON.stringify(failure, null, 1)}\n`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, rows, failures }, null, 1)}\n`)
  const never = attacked?.never ?? []
  if (never.length > 0) process.stdout.write(`no request got through to ${never.join(', ')}: the run says nothing of them\n`)
  return rows.every(({ lost, doubled, errors }) => lost + doubled + errors === 0) && never.length === 0 ? 0 : 1
}

/** Asked before, not after, minutes of work. */
function isWritable(file: string): boolean {
  try {
    writeFileSync(file, '')
    return true
  } catch {
    return false
  }
}

function said(text: string, code: number): number {
  ;(code === 0 ? process.stdout : process.stderr).write(text)
  return code
}

async function attackWorker(seed: number, requests: number): Promise<RequestRun> {
  const edges = await openEdges()
  try {
    const edge = await edges.start()
    await publishNight(edge)
    return await runRequests(edge, seed, requests, {
      tick: told('requests', requests),
      told: (line) => process.stderr.write(`${line}\n`),
      settle: () => wait(OBJECTS_SLEEP_MS),
    })
  } finally {
    await edges.close()
  }
}

/** Says every tenth how far it is. */
function told(what: string, total: number): (done: number) => void {
  let next = total / 10
  return (done) => {
    if (done < next) return
    next += total / 10
    process.stderr.write(`${done} of ${total} ${what}\n`)
  }
}

function table(rows: readonly Row[]): string {
  const columns = ['fault', 'tried', 'survived', 'lost', 'doubled', 'errors'] as const
  const lines = [columns.map(String), ...rows.map((row) => columns.map((column) => String(row[column])))]
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)))
  return lines.map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')).join('\n')
}

function summary({ campaign: { slowest, slowOnce }, memory }: RequestRun): string {
  const after = (where: keyof Held): string => memory.map((held) => held[where].toFixed(1)).join(', ')
  return [
    `slowest answer ${Math.round(slowest)} ms; over a second once, and not again: ${slowOnce}`,
    `after each fifth once warm, in MB: isolate ${after('isolate')}; process ${after('process')}`,
    '',
  ].join('\n')
}

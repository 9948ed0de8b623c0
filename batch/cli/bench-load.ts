import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { mustsOf, rowsOf } from '../edge-bench/load-verdict.ts'
import type { Row } from '../edge-bench/rows.ts'
import type { LoadOptions } from '../edge-bench/under-load.ts'
import { wholeNumber } from './whole-number.ts'

type Options = { minutes: number; flipEvery: number; items: number; quick?: true; json?: string }

export const loadCommand = (): Command =>
  new Command('load')
    .description('serving at 70 % of what is possible while releases change and visitors click: errors, mixtures, waiting, memory')
    .option('--minutes <n>', 'how long', minutes, 10)
    .option('--flip-every <seconds>', 'how often a release is published', wholeNumber(2, 600), 30)
    .option('--items <n>', 'in each release', wholeNumber(200, 200_000), 20_000)
    .option('--quick', 'a minute and a small catalogue: to see that it works, not what it says')
    .option('--json <file>', 'write rows {scenario, connections, metric, value}')
    .addHelpText('after', '\nExits with 1 where something that must hold does not.')
    .action(benchLoad)

function minutes(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0.1 && value <= 600)) throw new InvalidArgumentError('It must be a number from 0.1 to 600.')
  return value
}

const USUAL = { serveEach: true, share: 0.7, measured: 10, shoppers: 1000, refresh: 5 }
const QUICK = { serveEach: true, share: 0.7, measured: 3, shoppers: 100, refresh: 1, seconds: 40, flipEvery: 5, items: 2000 }

async function benchLoad({ minutes, flipEvery, items, quick, json }: Options): Promise<void> {
  const advance = (done: number, total: number): unknown => process.stderr.write(`release ${done} of ${total} is live\n`)
  const asked = quick ? QUICK : { ...USUAL, seconds: 60 * minutes, flipEvery, items }
  const options: LoadOptions = { ...asked, settled: Math.min(60, asked.seconds / 4), advance }
  // Wrangler and the runtime take seconds to load, which other commands should not wait for.
  const { openBench } = await import('../edge-bench/bench-edge.ts')
  const { measureUnderLoad } = await import('../edge-bench/under-load.ts')
  const bench = await openBench()
  try {
    const load = await measureUnderLoad(bench, options)
    const rows = rowsOf(load)
    const musts = mustsOf(load)
    console.table(tableOf(rows))
    for (const { what, holds, told } of musts)
      process.stdout.write(`${holds ? 'holds ' : 'FAILS '} ${what}${told.map((text) => `\n         ${text}`).join('')}\n`)
    if (json !== undefined) writeFileSync(json, JSON.stringify(rows))
    if (musts.some(({ holds }) => !holds)) process.exitCode = 1
  } finally {
    bench.close()
  }
}

const tableOf = (rows: readonly Row[]): Record<string, { value: number }> =>
  Object.fromEntries(rows.map(({ metric, value }) => [metric, { value: Number(value.toPrecision(4)) }]))

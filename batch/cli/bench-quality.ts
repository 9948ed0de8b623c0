import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { readConfig } from '../config.ts'
import { judgeTrial, type Row, type Verdict } from '../evaluate/judge-trial.ts'
import { METRIC_NAMES } from '../evaluate/measure.ts'
import {
  cutTrial,
  DATA,
  type DatasetName,
  datasetNames,
  type OpenTrial,
  openTrial,
  type SplitName,
  splitNames,
  wholeMachine,
} from '../evaluate/trials/trials.ts'
import { openSource } from '../sources/registry.ts'
import { InputError } from '../sources/source.ts'
import { plainProgress } from './progress.ts'
import { wholeNumber } from './whole-number.ts'

type QualityOptions = {
  dataset?: DatasetName
  source?: string
  events?: string
  items?: string
  mapping?: string
  split: SplitName
  data: string
  config?: string
  seeds: number
  systems?: string
  json?: string
}

export const qualityCommand = (): Command =>
  new Command('quality')
    .description('how good the answers are: learn from a part, ask about the rest, beside what others would answer')
    .addOption(new Option('--dataset <name>', 'a known data set under its published protocol').choices(datasetNames))
    .addOption(new Option('--source <name>', 'or any history of your own, by the same options as nightly').choices(['csv']))
    .option('--events <file>', 'csv source: events as CSV, NDJSON or Parquet, gzipped or not')
    .option('--items <file>', 'csv source: the catalogue')
    .option('--mapping <file>', 'csv source: JSON that says which column is which (docs/data.md)')
    .addOption(
      new Option('--split <how>', 'where your own history is cut: at a moment, before each visitor’s last event, or between sessions')
        .choices(splitNames)
        .default('temporal'),
    )
    .option('--data <folder>', 'where the data sets lie', DATA)
    .option('--config <file>', 'JSON that overrides defaults (docs/nightly.md)')
    .option('--seeds <n>', 'how often to learn our own, each time with another seed; figures are medians', wholeNumber(1, 25), 1)
    .option('--systems <names>', 'only these, comma-separated')
    .option('--json <file>', 'write rows {dataset, task, system, metric, value, low, high}')
    .addHelpText(
      'after',
      `
Examples:
  $ npx nightjar bench quality --dataset online-retail
  $ npx nightjar bench quality --dataset movietweetings-new-items --systems popularity,nightjar-no-content,nightjar
  $ npx nightjar bench quality --source csv --events orders.csv --split leave-last-out --json figures.json`,
    )
    .action(benchQuality)

async function benchQuality(options: QualityOptions): Promise<void> {
  const trial = await trialOf(options)
  const config = readConfig(options.config, trial.fixed)
  const verdict = await judgeTrial(trial, {
    config,
    seeds: options.seeds,
    only: options.systems?.split(',').map((name) => name.trim()) ?? [],
    progress: plainProgress((text) => process.stderr.write(text)),
  })
  print(verdict)
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(verdict.rows))
}

function trialOf(options: QualityOptions): Promise<OpenTrial> {
  const at = wholeMachine()
  if (options.dataset !== undefined && options.source !== undefined) throw new InputError('give --dataset or --source, not both')
  if (options.dataset !== undefined) return openTrial(options.dataset, resolve(options.data), at)
  if (options.source === undefined)
    throw new InputError(`say what to learn from: --dataset (${datasetNames.join(', ')}) or --source csv --events FILE`)
  return cutTrial(openSource(options.source, { ...options, directory: at.workDirectory }), options.split, at)
}

const SHOWN = [...METRIC_NAMES, 'coverage', 'gini', 'novelty', 'intra-list-distance', 'bytes-per-item']

function print({ rows, omitted, releases }: Verdict): void {
  for (const task of new Set(rows.map((row) => row.task))) {
    const own = rows.filter((row) => row.task === task)
    process.stdout.write(`\n${own[0].dataset} · ${task}\n`)
    if (task === 'night') console.table(pivot(own, [...new Set(own.map(({ metric }) => metric))]))
    else console.table(pivot(own, SHOWN))
  }
  for (const { name, omitted: reason } of omitted) process.stdout.write(`${name}: left out, ${reason}\n`)
  if (releases.length > 0) process.stdout.write(`releases: ${releases.join(', ')}\n`)
}

/** One line a system, one column a metric; intervals under the value where there are any. */
function pivot(rows: readonly Row[], metrics: readonly string[]): Record<string, Record<string, string>> {
  const table: Record<string, Record<string, string>> = {}
  for (const system of new Set(rows.map((row) => row.system))) {
    const own = rows.filter((row) => row.system === system)
    table[system] = Object.fromEntries(
      metrics.flatMap((metric) => {
        const row = own.find((one) => one.metric === metric)
        return row === undefined ? [] : [[metric, shown(row)]]
      }),
    )
  }
  return table
}

function shown({ value, low, high }: Row): string {
  const digits = Math.abs(value) >= 10 ? 1 : 4
  return low === high ? value.toFixed(digits) : `${value.toFixed(digits)} [${low.toFixed(digits)} ${high.toFixed(digits)}]`
}

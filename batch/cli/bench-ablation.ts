import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { readConfig } from '../config.ts'
import { ABLATION_METRICS, type Ablation, type AblationMetric, ablate } from '../evaluate/ablation.ts'
import type { Interval } from '../evaluate/bootstrap.ts'
import { DATA, type DatasetName, datasetNames, openTrial, wholeMachine } from '../evaluate/trials/trials.ts'
import { plainProgress } from './progress.ts'
import { wholeNumber } from './whole-number.ts'

type AblationOptions = { dataset: DatasetName; data: string; config?: string; seeds: number; json?: string }

export const ablationCommand = (): Command =>
  new Command('ablation')
    .description('what each group of the ranker’s features is worth: train without it, judge on the validation decisions')
    .addOption(new Option('--dataset <name>', 'a known data set').choices(datasetNames).makeOptionMandatory())
    .option('--data <folder>', 'where the data sets lie', DATA)
    .option('--config <file>', 'JSON that overrides defaults (docs/nightly.md)')
    .option('--seeds <n>', 'how often to train each, every time with another seed; figures are means', wholeNumber(1, 25), 5)
    .option('--json <file>', 'write rows {dataset, ranker, features, metric, value, low, high, change, changeLow, changeHigh}')
    .action(benchAblation)

async function benchAblation(options: AblationOptions): Promise<void> {
  const trial = await openTrial(options.dataset, resolve(options.data), wholeMachine())
  const ablation = await ablate(
    trial.train,
    readConfig(options.config, trial.fixed),
    options.seeds,
    plainProgress((text) => process.stderr.write(text)),
  )
  print(options.dataset, ablation)
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(rowsOf(options.dataset, ablation)))
}

function print(dataset: string, { decisions, validation, rows }: Ablation): void {
  process.stdout.write(`\n${dataset} · ${decisions} decisions train, ${validation} judge\n`)
  const line = (row: Ablation['rows'][number]): Record<string, string | number> => ({
    features: row.features,
    ...Object.fromEntries(
      ABLATION_METRICS.flatMap((metric) => [
        [metric, row[metric].own.value.toFixed(4)],
        [`Δ ${metric}`, row === rows[0] ? '' : changed(row[metric].change)],
      ]),
    ),
  })
  console.table(Object.fromEntries(rows.map((row) => [row.ranker, line(row)])))
}

const changed = ({ value, low, high }: Interval): string => {
  const signed = (figure: number): string => `${figure < 0 ? '−' : '+'}${Math.abs(figure).toFixed(4)}`
  return low === high ? value.toFixed(4) : `${signed(value)} [${signed(low)} ${signed(high)}]`
}

type Row = { dataset: string; ranker: string; features: number; metric: AblationMetric } & Interval & {
    change: number
    changeLow: number
    changeHigh: number
  }

const rowsOf = (dataset: string, { rows }: Ablation): Row[] =>
  rows.flatMap((row) =>
    ABLATION_METRICS.map((metric) => {
      const { own, change } = row[metric]
      const { ranker, features } = row
      return { dataset, ranker, features, metric, ...own, change: change.value, changeLow: change.low, changeHigh: change.high }
    }),
  )

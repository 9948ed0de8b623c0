import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { NightReport } from '../night/night.ts'
import { madeHistories } from '../simulate/histories.ts'
import { amount } from './amount.ts'
import { benchKernels, type KernelRow } from './bench-kernels.ts'
import { runNight } from './run-night.ts'
import { wholeNumber } from './whole-number.ts'

type BatchOptions = { events: number[]; items: number; visitorEvents: number; kernelRounds: number; json?: string }

type Metric = 'seconds' | 'cpu-seconds' | 'peak-mb' | 'rows'
type Row = { events: number; stage: string; metric: Metric; value: number }
/** Of a stage, over all sizes: seconds, and those of CPU, grow with events to this power. */
type Growth = { stage: string; metric: 'exponent' | 'cpu-exponent'; value: number }

export const batchCommand = (): Command =>
  new Command('batch')
    .description('whole nights from Parquet to published on made-up histories of several sizes: time, memory and growth of every stage')
    .option('--events <sizes>', 'comma-separated, like 200k,1M,5M', sizes, [1e6, 5e6, 25e6])
    .option('--items <n>', 'in the catalogue', amount, 100_000)
    .option('--visitor-events <n>', 'events a visitor, on average', wholeNumber(1, 10_000), 25)
    .option('--kernel-rounds <n>', 'how often each kernel is set beside its plain twin; 0 = not at all', wholeNumber(0, 64), 3)
    .option(
      '--json <file>',
      'write rows {events, stage, metric, value}, {stage, metric: "exponent" or "cpu-exponent", value} and those of the kernels',
    )
    .addHelpText(
      'after',
      `
Histories are made once for each size and kept in ${join('$TMPDIR', FOLDER)}. CPU is that of all threads, and so tells more than seconds
where the machine does other work too. Peak memory is what the night's process had needed at most by
the end of a stage.`,
    )
    .action(benchBatch)

const FOLDER = 'nightjar-histories'

function sizes(text: string): number[] {
  const all = text.split(',').map((size) => amount(size))
  if (all.some((size, i) => size < 1000 || (i > 0 && size <= all[i - 1])))
    throw new InvalidArgumentError('Sizes must be 1000 or more, and ascend.')
  return all
}

async function benchBatch({ events: all, items, visitorEvents, kernelRounds, json }: BatchOptions): Promise<void> {
  const rows: Row[] = []
  for (const events of all) {
    const visitors = Math.max(1, Math.round(events / visitorEvents))
    const files = await madeHistories(join(tmpdir(), FOLDER), { events, visitors, items })
    const directory = mkdtempSync(join(tmpdir(), 'nightjar-bench-'))
    try {
      const report = await runNight('csv', directory, ['--events', files.events, '--items', files.items])
      rows.push(...rowsOf(events, report))
      process.stdout.write(
        `${report.events.toLocaleString('en')} events of ${report.visitors.toLocaleString('en')} visitors: ${report.seconds.toFixed(1)} s, ${report.cpuSeconds.toFixed(1)} s of CPU, ${Math.round(report.peakMb)} MB\n`,
      )
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  const growth = growthOf(rows)
  console.table(tableOf(all, rows, growth))
  const kernels: KernelRow[] = kernelRounds > 0 ? await benchKernels({ rounds: kernelRounds }) : []
  if (json !== undefined) writeFileSync(json, JSON.stringify([...rows, ...growth, ...kernels]))
}

function rowsOf(events: number, report: NightReport): Row[] {
  const own = (stage: string, { seconds, cpuSeconds, peakMb }: Pick<NightReport, 'seconds' | 'cpuSeconds' | 'peakMb'>): Row[] => [
    { events, stage, metric: 'seconds', value: seconds },
    { events, stage, metric: 'cpu-seconds', value: cpuSeconds },
    { events, stage, metric: 'peak-mb', value: peakMb },
  ]
  const stages = report.stages.flatMap((stage): Row[] => [
    ...own(stage.name, stage),
    { events, stage: stage.name, metric: 'rows', value: stage.rows },
  ])
  return [...stages, ...own(TOTAL, report)]
}

const TOTAL = 'total'

const stagesOf = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ stage }) => stage))]

function growthOf(rows: readonly Row[]): Growth[] {
  const grown = (stage: string, of: Metric, metric: Growth['metric']): Growth[] => {
    const own = rows.filter((row) => row.stage === stage && row.metric === of && row.value > 0)
    return own.length < 2 ? [] : [{ stage, metric, value: slope(own.map((row) => [Math.log(row.events), Math.log(row.value)])) }]
  }
  return stagesOf(rows).flatMap((stage) => [...grown(stage, 'seconds', 'exponent'), ...grown(stage, 'cpu-seconds', 'cpu-exponent')])
}

/** Of the line through the points by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = mean(points.map((point) => point[0]))
  const y = mean(points.map((point) => point[1]))
  const together = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return together / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}

const UNITS: Record<Metric, string> = { seconds: 's', 'cpu-seconds': 'CPU s', 'peak-mb': 'MB', rows: 'rows' }

function tableOf(all: readonly number[], rows: readonly Row[], growth: readonly Growth[]): Record<string, Record<string, number>> {
  const round = (value: number): number => Math.round(100 * value) / 100
  return Object.fromEntries(
    stagesOf(rows).map((stage) => {
      const cells = rows.filter((row) => row.stage === stage)
      const line: Record<string, number> = {}
      for (const events of all) {
        for (const { metric, value } of cells.filter((row) => row.events === events && row.metric !== 'rows'))
          line[`${events.toLocaleString('en')} ${UNITS[metric]}`] = round(value)
      }
      for (const { metric, value } of growth.filter((row) => row.stage === stage)) line[metric] = round(value)
      return [stage, line]
    }),
  )
}

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

type Row = { events: number; stage: string; metric: 'seconds' | 'peak-mb' | 'rows'; value: number }
/** Of a stage, over all sizes: seconds grow with events to this power. */
type Growth = { stage: string; metric: 'exponent'; value: number }

export const batchCommand = (): Command =>
  new Command('batch')
    .description('whole nights from Parquet to published on made-up histories of several sizes: time, memory and growth of every stage')
    .option('--events <sizes>', 'comma-separated, like 200k,1M,5M', sizes, [1e6, 5e6, 25e6])
    .option('--items <n>', 'in the catalogue', amount, 100_000)
    .option('--visitor-events <n>', 'events a visitor, on average', wholeNumber(1, 10_000), 25)
    .option('--kernel-rounds <n>', 'how often each kernel is set beside its plain twin; 0 = not at all', wholeNumber(0, 64), 3)
    .option('--json <file>', 'write rows {events, stage, metric, value}, {stage, metric: "exponent", value} and those of the kernels')
    .addHelpText(
      'after',
      `
Histories are made once for each size and kept in ${join('$TMPDIR', FOLDER)}. Peak memory is what the night's process had needed at most by
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
        `${report.events.toLocaleString('en')} events of ${report.visitors.toLocaleString('en')} visitors: ${report.seconds.toFixed(1)} s, ${Math.round(report.peakMb)} MB\n`,
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
  const stages = report.stages.flatMap(({ name, seconds, rows, peakMb }): Row[] => [
    { events, stage: name, metric: 'seconds', value: seconds },
    { events, stage: name, metric: 'peak-mb', value: peakMb },
    { events, stage: name, metric: 'rows', value: rows },
  ])
  return [
    ...stages,
    { events, stage: TOTAL, metric: 'seconds', value: report.seconds },
    { events, stage: TOTAL, metric: 'peak-mb', value: report.peakMb },
  ]
}

const TOTAL = 'total'

const stagesOf = (rows: readonly Row[]): string[] => [...new Set(rows.map(({ stage }) => stage))]

function growthOf(rows: readonly Row[]): Growth[] {
  return stagesOf(rows).flatMap((stage) => {
    const own = rows.filter((row) => row.stage === stage && row.metric === 'seconds' && row.value > 0)
    return own.length < 2
      ? []
      : [{ stage, metric: 'exponent', value: slope(own.map((row) => [Math.log(row.events), Math.log(row.value)])) }]
  })
}

/** Of the line through the points by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const x = mean(points.map((point) => point[0]))
  const y = mean(points.map((point) => point[1]))
  const together = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return together / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}

function tableOf(all: readonly number[], rows: readonly Row[], growth: readonly Growth[]): Record<string, Record<string, number>> {
  const round = (value: number): number => Math.round(100 * value) / 100
  return Object.fromEntries(
    stagesOf(rows).map((stage) => {
      const cells = rows.filter((row) => row.stage === stage)
      const line: Record<string, number> = {}
      for (const events of all) {
        for (const { metric, value } of cells.filter((row) => row.events === events && row.metric !== 'rows'))
          line[`${events.toLocaleString('en')} ${metric === 'seconds' ? 's' : 'MB'}`] = round(value)
      }
      const own = growth.find((row) => row.stage === stage)
      return [stage, { ...line, ...(own && { exponent: round(own.value) }) }]
    }),
  )
}

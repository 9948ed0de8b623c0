import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { sourceNames } from '../sources/registry.ts'
import { ablationCommand } from './bench-ablation.ts'
import { batchCommand } from './bench-batch.ts'
import { edgeCommand } from './bench-edge.ts'
import { kernelsCommand } from './bench-kernels.ts'
import { loadCommand } from './bench-load.ts'
import { onnxCommand } from './bench-onnx.ts'
import { qualityCommand } from './bench-quality.ts'
import { replayCommand } from './bench-replay.ts'
import { runNight } from './run-night.ts'
import { wholeNumber } from './whole-number.ts'

type BenchOptions = { source: string; runs: number; json?: string }

export const benchCommand = (): Command =>
  new Command('bench')
    .description('measure')
    .addCommand(qualityCommand())
    .addCommand(ablationCommand())
    .addCommand(kernelsCommand())
    .addCommand(batchCommand())
    .addCommand(onnxCommand())
    .addCommand(replayCommand())
    .addCommand(edgeCommand())
    .addCommand(loadCommand())
    .addCommand(
      new Command('night')
        .description('whole nights in processes of their own, each published to empty local KV and then repeated on unchanged data')
        .option('--source <name>', `one of ${sourceNames.join(', ')}`, 'online-retail')
        .option('--runs <n>', 'how many', wholeNumber(1, 50), 3)
        .option('--json <file>', 'write rows {dataset, run, metric, value}')
        .action(benchNight),
    )

type Row = { dataset: string; run: number; metric: string; value: number }

async function benchNight(options: BenchOptions): Promise<void> {
  const rows: Row[] = []
  for (let run = 1; run <= options.runs; run++) {
    const directory = mkdtempSync(join(tmpdir(), 'nightjar-bench-'))
    try {
      const first = await runNight(options.source, directory)
      const second = await runNight(options.source, directory)
      const add = (metric: string, value: number): number => rows.push({ dataset: options.source, run, metric, value })
      add('seconds', first.seconds)
      add('peak-mb', first.peakMb)
      add('kv-writes', first.kvWrites)
      add('kv-writes-unchanged', second.kvWrites)
      add('same-release', first.release === second.release ? 1 : 0)
      for (const stage of first.stages) add(`seconds.${stage.name}`, stage.seconds)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  }
  console.table(
    Object.fromEntries(
      [...new Set(rows.map(({ metric }) => metric))].map((metric) => [metric, spread(rows.filter((row) => row.metric === metric))]),
    ),
  )
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(rows))
}

function spread(rows: readonly Row[]): { min: number; median: number; max: number } {
  const values = rows.map(({ value }) => value).sort((a, b) => a - b)
  const round = (value: number): number => Math.round(value * 100) / 100
  return { min: round(values[0]), median: round(values[Math.floor((values.length - 1) / 2)]), max: round(values[values.length - 1]) }
}

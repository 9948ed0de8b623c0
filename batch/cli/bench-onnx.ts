import { writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Command } from 'commander'
import { decodeSnapshot } from '../../shared/onnx/snapshot.ts'
import { buildOnnx, gzipBytes, RANKER_SHAPE, type Start } from '../onnx/build.ts'
import { type Comparison, compare } from '../onnx/compare.ts'
import { NEEDED_RUNS, recordComparison } from '../onnx/compared.ts'
import { openStock, readStock, startFrom } from '../onnx/runtimes.ts'
import { InputError } from '../sources/source.ts'
import { wholeNumber } from './whole-number.ts'

type OnnxOptions = { runs: number; seed: number; model?: string; record: boolean; json?: string }

export const onnxCommand = (): Command =>
  new Command('onnx')
    .description('the slim ONNX runtime, without the memory that runs do not need, beside the stock one: every score bit for bit')
    .option('--runs <n>', 'how many', wholeNumber(1, 1_000_000_000), 100_000)
    .option('--seed <n>', 'of the random cases', wholeNumber(0, 2 ** 31), 1)
    .option('--model <file>', "a graph instead of the ranker's own")
    .option('--record', `after ${NEEDED_RUNS} runs without a difference: let these bytes be deployed without that memory`, false)
    .option('--json <file>', 'write rows {scenario, metric, value}')
    .action(benchOnnx)

/** How often a line tells how far it is. */
const TELL_MS = 30_000

async function benchOnnx({ runs, seed, model, record, json }: OnnxOptions): Promise<void> {
  if (record && runs < NEEDED_RUNS) throw new InputError(`--record needs --runs ${NEEDED_RUNS} at least`)
  const build = await buildOnnx(model)
  const { artefacts } = build
  if (artefacts === null) throw new InputError(`there is nothing to compare: ${build.line}`)
  const files = build.filesFor('pruned')
  const stock = new WebAssembly.Module(readStock())
  const slim = new WebAssembly.Module(files['runtime.wasm'])
  const snapshot = decodeSnapshot(files['snapshot.bin'].buffer)
  let told = Date.now()
  const done = await compare(
    () => openStock(stock, files['ranker.onnx'], RANKER_SHAPE),
    async () => ({ runtime: await startFrom(slim, snapshot), state: snapshot.session }),
    {
      shape: RANKER_SHAPE,
      runs,
      seed,
      progress(sofar) {
        giveMemoryBack()
        if (Date.now() - told < TELL_MS) return
        told = Date.now()
        process.stderr.write(`${sofar.runs} of ${runs} runs, ${sofar.differences} differences\n`)
      },
    },
  )
  const rows = [
    ...(['runs', 'errorRuns', 'starts', 'differences'] as const).map((metric) => ({ metric: kebab(metric), value: done[metric] })),
    ...(['pruned', 'whole', 'stock'] as const).map((start: Start) => ({
      metric: `gzip-bytes-${start}`,
      value: gzipBytes(build.filesFor(start)),
    })),
  ]
  console.table(Object.fromEntries(rows.map(({ metric, value }) => [metric, value])))
  if (json !== undefined) writeFileSync(json, JSON.stringify(rows.map((row) => ({ scenario: 'onnx', ...row }))))
  conclude(done, record ? artefacts : null)
}

function conclude({ runs, differences, firstDifference }: Comparison, artefacts: string | null): void {
  if (differences > 0) throw new Error(`the runtimes differ; first in ${firstDifference}`)
  if (artefacts === null) return
  recordComparison({ artefacts, runs })
  process.stdout.write('Recorded in batch/onnx/compared.json; the next build leaves that memory out.\n')
}

/** To V8 the memory of a runtime that nobody uses any more weighs nothing, and it would let gigabytes of it pile up. */
function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

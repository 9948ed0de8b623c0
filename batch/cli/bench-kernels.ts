import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { normal, randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import type { Example } from '../kernels/gradients.ts'
import { plainGradients } from '../kernels/plain/gradients.ts'
import { leadingVectorsPlain } from '../kernels/plain/leading-vectors.ts'
import { nearestPlain } from '../kernels/plain/nearest.ts'
import { gramPlain, similarItemsPlain } from '../kernels/plain/similar.ts'
import type { Interactions } from '../learn/interactions.ts'
import { leadingVectors } from '../learn/leading-vectors.ts'
import { nearestOf } from '../learn/nearest.ts'
import { gramOf, similarItems } from '../learn/similar.ts'
import { type Sparse, SparseBuilder, transpose } from '../learn/sparse.ts'
import { descend, momentsOf, trainRanker, weightsOf } from '../ranker/train.ts'
import { wholeNumber } from './whole-number.ts'

type KernelOptions = { rounds: number; threads?: number; json?: string }

export const kernelsCommand = (): Command =>
  new Command('kernels')
    .description('the night’s arithmetic in SIMD beside the same in plain TypeScript, in turn, on made-up shoppers')
    .option('--rounds <n>', 'how often each', wholeNumber(1, 64), 5)
    .option('--threads <n>', 'of the kernels; plain TypeScript has one', wholeNumber(1, 64), availableParallelism())
    .option('--json <file>', 'write rows {kernel, round, metric, value}')
    .action(async (options: KernelOptions) => {
      await benchKernels(options)
    })

export type KernelRow = { kernel: string; round: number; metric: (typeof METRICS)[number]; value: number }

const METRICS = ['kernel-ms', 'plain-ms', 'ratio', 'kernel-cpu-ms', 'plain-cpu-ms', 'cpu-ratio'] as const

/**
 * Prints medians. CPU is that of all threads: its ratio tells what SIMD gains alone, however busy the machine is, and counts
 * what it costs to start threads.
 */
export async function benchKernels({ rounds, threads = availableParallelism(), json }: KernelOptions): Promise<KernelRow[]> {
  const rows: KernelRow[] = []
  for (const { name, kernel, plain } of await duels(threads)) {
    for (let round = 1; round <= rounds; round++) {
      const add = (metric: KernelRow['metric'], value: number): number => rows.push({ kernel: name, round, metric, value })
      const fast = await milliseconds(kernel)
      const slow = await milliseconds(plain)
      add('kernel-ms', fast.wall)
      add('plain-ms', slow.wall)
      add('ratio', slow.wall / fast.wall)
      add('kernel-cpu-ms', fast.cpu)
      add('plain-cpu-ms', slow.cpu)
      add('cpu-ratio', slow.cpu / fast.cpu)
    }
  }
  const middle = (kernel: string, metric: KernelRow['metric']): number =>
    Math.round(100 * median(rows.filter((row) => row.kernel === kernel && row.metric === metric).map(({ value }) => value))) / 100
  const line = (kernel: string) => Object.fromEntries(METRICS.map((metric) => [metric.replaceAll('-', ' '), middle(kernel, metric)]))
  console.table(Object.fromEntries([...new Set(rows.map(({ kernel }) => kernel))].map((kernel) => [kernel, line(kernel)])))
  if (json !== undefined) writeFileSync(json, JSON.stringify(rows))
  return rows
}

type Duel = { name: string; kernel: () => Promise<unknown>; plain: () => unknown }

async function duels(threads: number): Promise<Duel[]> {
  const shoppers = madeUp(2000, 2000, 60)
  // What vectors are made of is larger than a cache, as a night's is.
  const crowd = madeUp(20_000, 4000, 60)
  const similar = { ridgeBase: 10, ridgeScale: 1, support: 150, minVisitors: 3, visitorPower: 0.3 }
  const gram = await gramOf(shoppers, similar)
  const known = gramPlain(shoppers, similar)
  const examples = madeUpExamples(1500, 150)
  const places = { vectors: Float32Array.from(unitRows(8000, 32)), dimensions: 32 }
  const items = Uint32Array.from({ length: 8000 }, (_, item) => item)
  const asked = { targets: items.subarray(0, 2000), others: items, most: 20 }
  const train = { features: FEATURE_COUNT, epochs: 3, seed: 1 }
  return [
    { name: 'gram', kernel: () => gramOf(shoppers, similar, threads), plain: () => gramPlain(shoppers, similar) },
    {
      name: 'ridge',
      kernel: () => similarItems(gram, similar, threads),
      plain: () => similarItemsPlain(known, similar),
    },
    {
      name: 'ranker',
      kernel: () => trainRanker(examples, { ...train, threads }),
      plain: () => {
        const moments = momentsOf(examples, FEATURE_COUNT)
        return descend(plainGradients(examples, moments), moments, weightsOf(examples), train)
      },
    },
    {
      name: 'nearest',
      kernel: () => nearestOf(places, asked, threads),
      plain: () => nearestPlain(places, asked),
    },
    {
      name: 'vectors',
      kernel: () => leadingVectors(crowd.byItem, 32, 1, threads),
      plain: () => leadingVectorsPlain(crowd.byItem, 32, 1),
    },
  ]
}

async function milliseconds(work: () => unknown): Promise<{ wall: number; cpu: number }> {
  const start = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { wall: performance.now() - start, cpu: (user + system) / 1000 }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

/** Visitors who mostly want what lies near a place of their own. */
function madeUp(visitors: number, items: number, each: number): Interactions {
  const random = randomStream(1)
  const builder = new SparseBuilder(items)
  for (let visitor = 0; visitor < visitors; visitor++) {
    const place = random() * items
    const own = new Set(Array.from({ length: each }, () => Math.floor(place + random() ** 3 * items) % items))
    for (const item of [...own].sort((a, b) => a - b)) builder.push(item, 1)
    builder.endRow()
  }
  const byVisitor = builder.build()
  const byItem = transpose(byVisitor)
  const lengths = ({ rows, start }: Sparse): Uint32Array => Uint32Array.from({ length: rows }, (_, row) => start[row + 1] - start[row])
  return { byVisitor, byItem, visitorItems: lengths(byVisitor), itemVisitors: lengths(byItem) }
}

function madeUpExamples(count: number, candidates: number): Example[] {
  const random = randomStream(2)
  return Array.from({ length: count }, () => {
    const features = Float32Array.from({ length: candidates * FEATURE_COUNT }, () => normal(random))
    const taken = Math.floor(random() * candidates)
    features[taken * FEATURE_COUNT] += 3
    return { features, count: candidates, taken: [taken] }
  })
}

function unitRows(rows: number, dimensions: number): number[] {
  const random = randomStream(3)
  return Array.from({ length: rows }, () => {
    const row = Array.from({ length: dimensions }, () => normal(random))
    const length = Math.hypot(...row)
    return row.map((value) => value / length)
  }).flat()
}

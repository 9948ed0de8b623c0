import { hitRateAt, reciprocalRankAt } from '../../../shared/metrics.ts'
import type { Config } from '../../config.ts'
import type { Dataset } from '../../dataset.ts'
import type { Progress } from '../../night/stages.ts'
import { publish } from '../../release/publish.ts'
import type { Stores } from '../../stores/open-stores.ts'
import { bootstrap } from '../bootstrap.ts'
import type { Row } from '../judge-trial.ts'
import { SLATE, slatesOf } from '../measure.ts'
import { learnRelease } from '../release.ts'
import type { Plan } from './plan.ts'
import { type Replayed, replay, warm } from './replay.ts'
import type { Edge, MemoryKind } from './visitor-client.ts'

/** A question that was answered otherwise than computed: the slates from the first place where they differ. */
export type Difference = { query: number; place: number; served: number[]; offline: number[] }

export type ReplayVerdict = {
  release: string
  rows: Row[]
  identical: number
  differences: Difference[]
  rungs: Record<string, number>
}

export type JudgeOptions = {
  dataset: string
  train: Dataset
  /** Made only after everything was learned. */
  plan: () => Promise<Plan>
  edge: Edge & { stores: Stores; idKey: string }
  memory: MemoryKind
  config: Config
  progress: Progress
}

/**
 * All of it is moved to a time that has not come: what the edge keeps for a while is forgotten by the platform's own
 * clock, and would be before its time in a past. Whole weeks, so that no day becomes another; always the same, so that
 * the release is.
 */
const REPLAY_FROM = Date.UTC(2090, 0, 1) / 1000
const WEEK = 7 * 86_400
const SERVED = 'nightjar (served)'
const MOST_DIFFERENCES = 5

/** Learns from the training part, publishes to the edge, lives through the test part there, and computes it offline as well. */
export async function judgeReplay({ dataset, train, edge, memory, config, progress, ...options }: JudgeOptions): Promise<ReplayVerdict> {
  const shift = WEEK * Math.ceil((REPLAY_FROM - train.to) / WEEK)
  const learned = await learnRelease({ train: later(train, shift) }, config, progress, edge.idKey)
  await publish(edge.stores.kv, edge.stores.blobs, learned.manifest, learned.packs, 1000 * REPLAY_FROM)
  const ours = learned.systems.find(({ name }) => name === 'nightjar')
  if (ours === undefined) throw new Error('there is no system "nightjar" to compare with')
  await warm(edge, train, learned.manifest.ranker === 'mlp' ? 'onnx' : 'list-order', train.to + shift)
  const plan = await options.plan()
  const served = await staged(progress, 'replay', () => replay(edge, plan, train, { memory, shift, onAnswer: progress.advance }))
  const offline = await staged(progress, 'offline', async () => ({ slates: await slatesOf(ours, plan.queries) }))
  const same = Float64Array.from(offline.slates, (slate, query) => (firstDifference(served.slates[query], slate) < 0 ? 1 : 0))
  const differences = offline.slates.flatMap((slate, query): Difference[] => {
    const place = firstDifference(served.slates[query], slate)
    return place < 0 ? [] : [{ query, place: place + 1, served: served.slates[query].slice(place), offline: slate.slice(place) }]
  })
  return {
    release: learned.release,
    rows: rowsOf(dataset, plan, served, offline.slates, same, config.seed),
    identical: same.reduce((sum, value) => sum + value, 0) / Math.max(1, same.length),
    differences: differences.slice(0, MOST_DIFFERENCES),
    rungs: served.rungs,
  }
}

async function staged<T extends { slates: number[][] }>(progress: Progress, name: string, run: () => Promise<T>): Promise<T> {
  progress.begin(name)
  const start = performance.now()
  const result = await run()
  progress.end({ name, seconds: (performance.now() - start) / 1000, rows: result.slates.length, peakMb: 0 })
  return result
}

/** The same history, so many seconds later. */
export const later = (dataset: Dataset, seconds: number): Dataset => ({
  ...dataset,
  items: dataset.items.map((item) => ({ ...item, firstSeen: item.firstSeen + seconds })),
  deeds: { ...dataset.deeds, at: dataset.deeds.at.map((at) => at + seconds) },
  from: dataset.from + seconds,
  to: dataset.to + seconds,
})

/** -1 where there is none. */
function firstDifference(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (a[i] !== b[i]) return i
  return -1
}

function rowsOf(dataset: string, plan: Plan, served: Replayed, offline: readonly number[][], same: Float64Array, seed: number): Row[] {
  const { task, queries } = plan
  const hits = (slates: readonly number[][]): Float64Array =>
    Float64Array.from(queries, ({ relevant }, i) => hitRateAt(slates[i], relevant, SLATE))
  const ranks = (slates: readonly number[][]): Float64Array =>
    Float64Array.from(queries, ({ relevant }, i) => reciprocalRankAt(slates[i], relevant, SLATE))
  const judged: [system: string, metric: string, column: Float64Array][] = [
    [SERVED, 'hitrate@20', hits(served.slates)],
    [SERVED, 'mrr@20', ranks(served.slates)],
    [SERVED, 'identical', same],
    ['nightjar', 'hitrate@20', hits(offline)],
    ['nightjar', 'mrr@20', ranks(offline)],
  ]
  const { intervals } = bootstrap(
    judged.map(([, , column]) => column),
    queries.map(({ cluster }) => cluster),
    seed,
  )
  const rows: Row[] = judged.map(([system, metric], i) => ({ dataset, task, system, metric, ...intervals[i] }))
  const plain = (metric: string, value: number): number =>
    rows.push({ dataset, task, system: SERVED, metric, value, low: value, high: value })
  plain('p50-ms', quantile(served.ms, 0.5))
  plain('p90-ms', quantile(served.ms, 0.9))
  plain('predictions', queries.length)
  for (const [rung, count] of Object.entries(served.rungs)) plain(`rung.${rung}`, count / Math.max(1, queries.length))
  return rows
}

/** The smallest value that at least a share `q` of the values does not exceed. */
function quantile(values: Float64Array, q: number): number {
  const sorted = values.slice().sort()
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
}

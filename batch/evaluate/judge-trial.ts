import type { Config } from '../config.ts'
import type { Progress } from '../night/stages.ts'
import { bootstrap, difference } from './bootstrap.ts'
import { type Background, itemShares, type Judgement, judge, METRIC_NAMES, slatesOf } from './measure.ts'
import { type LearnedRelease, learnRelease } from './release.ts'
import { type Baseline, baselines } from './systems/baselines.ts'
import type { Omitted, System, Task } from './trial.ts'
import type { OpenTrial } from './trials/trials.ts'

/** One figure. `low` and `high` bound the middle 95 % where an interval was computed; else they equal `value`. */
export type Row = { dataset: string; task: string; system: string; metric: string; value: number; low: number; high: number }

export type Verdict = { rows: Row[]; omitted: Omitted[]; releases: string[] }

export type JudgeOptions = {
  config: Config
  /** Our own systems are learned once for each of the seeds config.seed, config.seed + 1, …; figures are their medians. */
  seeds: number
  /** Only systems with these names; all when empty. */
  only: readonly string[]
  progress: Progress
}

const OURS = new Set(['cohort-region', 'neighbours', 'merged', 'nightjar'])

/** Learns, then opens the questions, then judges every system on every task. */
export async function judgeTrial(trial: OpenTrial, options: JudgeOptions): Promise<Verdict> {
  const { progress, only } = options
  const wanted = (name: string): boolean => only.length === 0 || only.includes(name)
  const rows: Row[] = []
  const whole = (task: string, system: string, metric: string, value: number): void => {
    rows.push({ dataset: trial.dataset, task, system, metric, value, low: value, high: value })
  }
  const learned: LearnedRelease[] = []
  for (let i = 0; i < options.seeds && [...OURS].some(wanted); i++) {
    const release = await learnRelease(trial, { ...options.config, seed: options.config.seed + i }, progress)
    learned.push(release)
    if (i > 0) continue
    for (const { name, seconds, peakMb } of release.stages) {
      whole('night', 'nightjar', `seconds.${name}`, seconds)
      whole('night', 'nightjar', `peak-mb.${name}`, peakMb)
    }
    whole(
      'night',
      'nightjar',
      'seconds',
      release.stages.reduce((sum, { seconds }) => sum + seconds, 0),
    )
    whole('night', 'nightjar', 'peak-mb', Math.max(...release.stages.map(({ peakMb }) => peakMb)))
  }
  const others: Baseline[] = await baselines(trial, options.config, wanted, progress)
  for (const { system, seconds, peakMb } of others) {
    if (!('rank' in system)) continue
    whole('night', system.name, 'seconds', seconds)
    whole('night', system.name, 'peak-mb', peakMb)
  }
  const ablated = await learnAblations(trial, options, wanted)
  const omitted = others.flatMap(({ system }) => ('omitted' in system ? [system] : []))
  const fixed = [...others.flatMap(({ system }): System[] => ('rank' in system ? [system] : [])), ...ablated]
  const vectors = learned[0]?.view.core ?? { vectors: new Int8Array(0), dimensions: 0 }
  const background: Background = { share: itemShares(trial), vectors: vectors.vectors, dimensions: vectors.dimensions }

  for (const task of await trial.tasks()) {
    progress.begin(`judge ${task.name}`)
    const start = performance.now()
    rows.push(...(await judgeTask(trial.dataset, task, fixed, learned, wanted, background, options.config.seed)))
    progress.end({ name: `judge ${task.name}`, seconds: (performance.now() - start) / 1000, rows: task.queries.length, peakMb: 0 })
  }
  return { rows, omitted, releases: learned.map(({ release }) => release) }
}

/** Once each, with the first seed. */
async function learnAblations(trial: OpenTrial, { config, progress }: JudgeOptions, wanted: (name: string) => boolean): Promise<System[]> {
  const made: System[] = []
  for (const [name, change] of Object.entries(trial.ablations ?? {})) {
    if (!wanted(name)) continue
    const { systems } = await learnRelease(trial, { ...config, ...change }, progress)
    made.push(...systems.filter((system) => system.name === 'nightjar').map((system) => ({ ...system, name })))
  }
  return made
}

async function judgeTask(
  dataset: string,
  { name: task, queries }: Task,
  fixed: readonly System[],
  learned: readonly LearnedRelease[],
  wanted: (name: string) => boolean,
  background: Background,
  seed: number,
): Promise<Row[]> {
  const judged: Judgement[] = []
  const bytes = new Map<string, number>()
  const over = async (system: System): Promise<Judgement> => {
    if (system.bytesPerItem !== undefined) bytes.set(system.name, system.bytesPerItem)
    return judge(system.name, queries, await slatesOf(system, queries), background)
  }
  for (const system of fixed) judged.push(await over(system))
  const rows: Row[] = []
  for (const [i, name] of (learned[0]?.systems ?? []).map((system) => system.name).entries()) {
    if (!wanted(name)) continue
    const bySeed: Judgement[] = []
    for (const { systems } of learned) bySeed.push(await over(systems[i]))
    judged.push(medianSeed(bySeed))
    if (learned.length > 1) rows.push(...seedRange(dataset, task, bySeed))
  }
  const columns = judged.flatMap(({ values }) => METRIC_NAMES.map((metric) => values[metric]))
  const { intervals, means } = bootstrap(
    columns,
    queries.map(({ cluster }) => cluster),
    seed,
  )
  for (const [s, { system, wholes, values }] of judged.entries()) {
    for (const [m, metric] of METRIC_NAMES.entries()) {
      const at = s * METRIC_NAMES.length + m
      rows.push({ dataset, task, system, metric, ...intervals[at] })
      for (const [o, other] of judged.entries()) {
        if (system !== 'nightjar' || o === s) continue
        const otherAt = o * METRIC_NAMES.length + m
        const gain = difference(values[metric], other.values[metric], means[at], means[otherAt])
        rows.push({ dataset, task, system: `nightjar − ${other.system}`, metric, ...gain })
      }
    }
    const size = bytes.get(system)
    const all = size === undefined ? wholes : { ...wholes, 'bytes-per-item': size }
    for (const [metric, value] of Object.entries(all)) rows.push({ dataset, task, system, metric, value, low: value, high: value })
  }
  return rows
}

const NDCG = 'ndcg@20'
const meanOf = (column: Float64Array): number => column.reduce((sum, value) => sum + value, 0) / Math.max(1, column.length)

/** The run whose NDCG@20 is the median of all seeds' (the lower one of an even number). */
function medianSeed(runs: readonly Judgement[]): Judgement {
  const sorted = [...runs].sort((a, b) => meanOf(a.values[NDCG]) - meanOf(b.values[NDCG]))
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

function seedRange(dataset: string, task: string, runs: readonly Judgement[]): Row[] {
  return METRIC_NAMES.map((metric) => {
    const means = runs.map(({ values }) => meanOf(values[metric])).sort((a, b) => a - b)
    const value = means[Math.floor((means.length - 1) / 2)]
    return { dataset, task, system: `${runs[0].system} over seeds`, metric, value, low: means[0], high: means[means.length - 1] }
  })
}

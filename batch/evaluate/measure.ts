import { hitRateAt, ndcgAt, recallAt, reciprocalRankAt } from '../../shared/metrics.ts'
import { averagePrecisionAt, gini, intraListDistance, novelty, precisionAt } from './list-metrics.ts'
import type { Query, System, Trial } from './trial.ts'

/** How long the slates are that are judged. */
export const SLATE = 20

type QueryMetric = (slate: readonly number[], relevant: ReadonlySet<number>) => number

/** Metrics of one answered query; a system's figure is their mean over queries. */
export const QUERY_METRICS: Readonly<Record<string, QueryMetric>> = {
  'recall@20': (slate, relevant) => recallAt(slate, relevant, 20),
  'precision@10': (slate, relevant) => precisionAt(slate, relevant, 10),
  'map@10': (slate, relevant) => averagePrecisionAt(slate, relevant, 10),
  'ndcg@10': (slate, relevant) => ndcgAt(slate, relevant, 10),
  'ndcg@20': (slate, relevant) => ndcgAt(slate, relevant, 20),
  'mrr@20': (slate, relevant) => reciprocalRankAt(slate, relevant, 20),
  'hitrate@10': (slate, relevant) => hitRateAt(slate, relevant, 10),
  'hitrate@20': (slate, relevant) => hitRateAt(slate, relevant, 20),
}
export const METRIC_NAMES: readonly string[] = Object.keys(QUERY_METRICS)

/** What a system answered, judged query by query. */
export type Judgement = {
  system: string
  /** By metric, one value a query. */
  values: Record<string, Float64Array>
  /** Of all slates together. */
  wholes: Record<string, number>
}

/** What the wholes are measured against: how often an item is taken in training, and where it stands. */
export type Background = { share: Float64Array; vectors: Int8Array; dimensions: number }

/** The system's slate for every query, without masked items. */
export async function slatesOf(system: System, queries: readonly Query[]): Promise<number[][]> {
  const slates: number[][] = []
  for (const query of queries) {
    const ranked = await system.rank(query, SLATE + query.masked.size)
    const slate: number[] = []
    for (let i = 0; i < ranked.length && slate.length < SLATE; i++) if (!query.masked.has(ranked[i])) slate.push(ranked[i])
    slates.push(slate)
  }
  return slates
}

export function judge(
  system: string,
  queries: readonly Query[],
  slates: readonly (readonly number[])[],
  background: Background,
): Judgement {
  const values = Object.fromEntries(
    METRIC_NAMES.map((metric) => [metric, Float64Array.from(queries, ({ relevant }, i) => QUERY_METRICS[metric](slates[i], relevant))]),
  )
  const exposure = new Float64Array(background.share.length)
  for (const item of slates.flat()) exposure[item]++
  const wholes = {
    coverage: exposure.filter((count) => count > 0).length / Math.max(1, exposure.length),
    gini: gini(exposure),
    novelty: novelty(slates, background.share),
    'intra-list-distance': intraListDistance(slates, background.vectors, background.dimensions),
  }
  return { system, values, wholes }
}

/** Share of all deeds by item. */
export function itemShares({ train }: Pick<Trial, 'train'>): Float64Array {
  const share = new Float64Array(train.items.length)
  for (let k = 0; k < train.deeds.count; k++) share[train.deeds.item[k]] += 1 / train.deeds.count
  return share
}

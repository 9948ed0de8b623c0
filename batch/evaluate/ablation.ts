import { ndcgAt, reciprocalRankAt } from '../../shared/metrics.ts'
import { FEATURE_COUNT, features } from '../../shared/ranking/features.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import type { Progress } from '../night/stages.ts'
import { askedAfterParting, enoughToRank, unseen, viewsToLearnFrom } from '../ranker/choice.ts'
import { examplesOf, type Gathered, gathered, type ServedView, slateOf } from '../ranker/choose.ts'
import type { Decision } from '../ranker/decisions.ts'
import { Journal } from '../ranker/journal.ts'
import { positionBias } from '../ranker/position-bias.ts'
import { type TrainOptions, trainRanker } from '../ranker/train.ts'
import { InputError } from '../sources/source.ts'
import { bootstrap, difference, type Interval } from './bootstrap.ts'
import { groupPositions } from './feature-groups.ts'
import { SLATE } from './measure.ts'

export const ABLATION_METRICS = ['ndcg@20', 'mrr@20'] as const
export type AblationMetric = (typeof ABLATION_METRICS)[number]

/** One ranker on the validation decisions: its own figures, and how they differ from those of the one with all features. */
export type Ablated = { ranker: string; features: number } & Record<AblationMetric, { own: Interval; change: Interval }>

export type Ablation = { decisions: number; validation: number; rows: Ablated[] }

type Variant = { ranker: string; features: number; options: Partial<TrainOptions> | null; from: 0 | 1 }

/**
 * Trains the ranker again without each group of features and compares what it ranks on the decisions of the visitors that
 * only choose; the test part of a trial is never opened. The last rows say what a difference is worth: other seeds, no
 * hidden layer, and no ranker at all.
 * @param seeds how often each is trained, from the configured seed on; a decision's figure is the mean over them
 * @throws InputError where there is too little to learn from
 */
export async function ablate(dataset: Dataset, config: Config, seeds: number, progress: Progress): Promise<Ablation> {
  const asked = askedAfterParting(dataset, config)
  if (!enoughToRank(asked)) throw new InputError('too few decisions to train a ranker on')
  progress.note(`learning up to the parting time; ${asked.training.length} decisions train, ${asked.validation.length} judge`)
  const { tuned, training, validation } = await viewsToLearnFrom(
    dataset,
    config,
    asked,
    { start: null, journal: new Journal() },
    async () => undefined,
  )
  const examples = examplesOf(tuned, training, positionBias(dataset.impressions))
  const questions = questionsOf(tuned, validation)
  const columns: Record<AblationMetric, Float64Array[]> = { 'ndcg@20': [], 'mrr@20': [] }
  const hidden = unseen(config, dataset)
  const variants = variantsOf()
  for (const { ranker, options, from } of variants) {
    progress.begin(ranker)
    const start = performance.now()
    const ndcg = new Float64Array(questions.length)
    const mrr = new Float64Array(questions.length)
    for (let run = 0; run < seeds; run++) {
      const train = { features: FEATURE_COUNT, epochs: config.epochs, seed: config.seed + from * seeds + run }
      const without = [...hidden, ...(options?.without ?? [])]
      const weights = options === null ? null : await trainRanker(examples, { ...train, ...options, without })
      questions.forEach((question, i) => {
        const slate = slateOf(question, weights, SLATE)
        ndcg[i] += ndcgAt(slate, question.decision.next, SLATE) / seeds
        mrr[i] += reciprocalRankAt(slate, question.decision.next, SLATE) / seeds
      })
    }
    columns['ndcg@20'].push(ndcg)
    columns['mrr@20'].push(mrr)
    progress.end({ name: ranker, seconds: (performance.now() - start) / 1000, rows: examples.length, peakMb: 0 })
  }
  const visitors = validation.map(({ visitor }) => visitor)
  const compared = (metric: AblationMetric): { own: Interval; change: Interval }[] => {
    const { intervals, means } = bootstrap(columns[metric], visitors, config.seed)
    const [all] = columns[metric]
    return columns[metric].map((column, k) => ({ own: intervals[k], change: difference(column, all, means[k], means[0]) }))
  }
  const ndcg = compared('ndcg@20')
  const mrr = compared('mrr@20')
  const rows = variants.map(({ ranker, features: count }, k) => ({ ranker, features: count, 'ndcg@20': ndcg[k], 'mrr@20': mrr[k] }))
  return { decisions: examples.length, validation: questions.length, rows }
}

function variantsOf(): Variant[] {
  const groups = [...groupPositions(features)].map(
    ([group, without]): Variant => ({
      ranker: `without ${group}`,
      features: FEATURE_COUNT - without.length,
      options: { without },
      from: 0,
    }),
  )
  return [
    { ranker: 'all features', features: FEATURE_COUNT, options: {}, from: 0 },
    ...groups,
    { ranker: 'all features, other seeds', features: FEATURE_COUNT, options: {}, from: 1 },
    { ranker: 'linear', features: FEATURE_COUNT, options: { linear: true }, from: 0 },
    { ranker: 'none (merged score)', features: 0, options: null, from: 0 },
  ]
}

/** Every ranker is asked the same: the features are assembled once for all of them. */
const questionsOf = (view: ServedView, decisions: readonly Decision[]): Gathered[] =>
  Array.from(gathered(view, decisions), (own) => {
    const assembled = own.features()
    return { ...own, features: () => assembled }
  })

import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { Manifest, RecallParameters } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { learn } from '../learn/learn.ts'
import { trialView } from '../release/assemble.ts'
import { chooseRecall, learnRanker, type Quality, qualityOf, slates } from './choose.ts'
import { type Decision, partingTime, sampleDecisions } from './decisions.ts'
import { noWeights } from './train.ts'

/** Where the search begins, and where it stays when there is too little history to search. */
export const USUAL_RECALL: Omit<RecallParameters, 'candidates'> = {
  historyItems: 50,
  historyDecay: 5,
  pastDecay: 15,
  pastWeight: 0.3,
  selfWeight: 0.3,
  pastSelfWeight: 0.3,
  togetherWeight: 0.25,
  listWeight: 0.15,
}

/** The share of deeds, at the end of the window, that the ranker learns from with lists that have not seen them. */
const RANKER_SHARE = 0.12

export type Choice = {
  recall: RecallParameters
  ranker: Manifest['ranker']
  weights: Weights
  decisions: number
  metrics: Record<string, number>
}

/**
 * Lists are built on the part before the parting time; how to recall, and whether and how to rank, is learned from what
 * visitors did after it. A fifth of the visitors only chooses.
 */
export async function chooseRanker(
  dataset: Dataset,
  config: Config,
  advance: (done: number, total?: number) => Promise<void>,
): Promise<Choice> {
  const recall: RecallParameters = { ...USUAL_RECALL, candidates: config.candidates }
  const parting = partingTime(dataset, RANKER_SHARE)
  const decisions = sampleDecisions(dataset, parting, config.decisions, config.seed)
  const validation = decisions.filter((decision) => decision.validation)
  const training = decisions.filter((decision) => !decision.validation)
  const none: Choice = {
    recall,
    ranker: 'none',
    weights: noWeights(FEATURE_COUNT),
    decisions: decisions.length,
    metrics: { decisions: validation.length },
  }
  if (validation.length < 20 || training.length < 50) return none
  const before = await learn({ dataset, until: parting }, config, recall, (done, total = 1) => advance(done / total, config.epochs + 2))
  const view = await trialView(dataset, before, recall)
  const chosen = chooseRecall(view, training.slice(0, 400))
  await advance(2, config.epochs + 2)
  const tuned = { ...view, manifest: { ...view.manifest, recall: chosen } }
  const merged = qualityOf(tuned, validation, slates(tuned, validation, null))
  const popularity = qualityOf(tuned, validation, popularSlates(tuned, validation))
  const weights =
    config.epochs === 0
      ? none.weights
      : await learnRanker(tuned, training, {
          epochs: config.epochs,
          seed: config.seed,
          onEpoch: (epoch) => advance(2 + epoch, config.epochs + 2),
        })
  const ranked = qualityOf(tuned, validation, slates(tuned, validation, weights))
  const ranker = config.epochs > 0 && ranked['ndcg@20'] > merged['ndcg@20'] ? 'mlp' : 'none'
  const metrics = {
    decisions: validation.length,
    ...named('served', ranker === 'mlp' ? ranked : merged),
    ...named('ranked', ranked),
    ...named('merged', merged),
    ...named('popularity', popularity),
  }
  return { recall: chosen, ranker, weights: ranker === 'mlp' ? weights : none.weights, decisions: decisions.length, metrics }
}

const popularSlates = (view: ReleaseView, decisions: readonly Decision[]): number[][] => {
  const popular = Array.from(view.list('*', -1)?.items ?? []).slice(0, 20)
  return decisions.map(() => popular)
}

/** Metrics go into the manifest at a fixed precision, so that its bytes do not hang on the last bit. */
const named = (prefix: string, quality: Quality): Record<string, number> =>
  Object.fromEntries(Object.entries(quality).map(([metric, value]) => [`${prefix}.${metric}`, Math.round(value * 1e6) / 1e6]))

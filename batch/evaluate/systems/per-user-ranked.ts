import { type RecallRequest, recall } from '../../../shared/ranking/candidates.ts'
import { FEATURE_COUNT } from '../../../shared/ranking/features.ts'
import { sessionLength } from '../../../shared/ranking/history-weights.ts'
import { candidateFeatures } from '../../../shared/ranking/rank.ts'
import { type Candidates, RecallSpace } from '../../../shared/ranking/recall-space.ts'
import type { Weights } from '../../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../../shared/ranking/release-view.ts'
import type { Config } from '../../config.ts'
import type { Dataset } from '../../dataset.ts'
import type { Example } from '../../kernels/gradients.ts'
import { learn } from '../../learn/learn.ts'
import { rankerShare } from '../../ranker/choice.ts'
import { qualityOf, regionsOf, requestOf, slateOf } from '../../ranker/choose.ts'
import { type Decision, partingTime, sampleDecisions } from '../../ranker/decisions.ts'
import { trainRanker } from '../../ranker/train.ts'
import { USUAL_RECALL } from '../../ranker/usual-recall.ts'
import { trialView } from '../../release/assemble.ts'
import { SLATE } from '../measure.ts'
import type { Omitted, System, Trial } from '../trial.ts'
import { before } from '../trials/inner-cut.ts'
import type { Ease } from './ease.ts'
import { fitPerUser, PerUserScores, type PerUserSetting } from './per-user.ts'

const NAME = 'per-user-ranked'

type Asked = Pick<Decision, 'history' | 'country'> & { inSession: number; barred: ReadonlySet<number> }
type Answer = { candidates: Candidates; request: RecallRequest }

/**
 * The per-user model's best candidates under a ranker of their own, which sees our features with the model's scores where
 * the neighbours' stand. It is trained as ours is: on what followed the parting time, with a model fitted before it; it
 * serves when it beats the model's own order on the fifth of visitors that only chooses.
 */
export async function perUserRanked(
  { train }: Pick<Trial, 'train'>,
  model: Ease,
  setting: PerUserSetting,
  config: Config,
): Promise<System | Omitted> {
  const parting = partingTime(train, rankerShare(config))
  const decisions = sampleDecisions(train, parting, config).filter(({ history }) => history.length > 0)
  const training = decisions.filter(({ validation }) => !validation)
  if (training.length < 50) return { name: NAME, omitted: 'there is too little history to train a ranker on' }
  const earlier = await perUserCandidates(train, parting, fitPerUser({ train: before(train, parting) }, setting), setting, config)
  const weights = await chooseWeights(earlier, training, decisions, train.items.length, config)
  const now = await perUserCandidates(train, train.to + 1, model, setting, config)
  return {
    name: NAME,
    rank: ({ history, inSession, country, masked }) =>
      history.length === 0 ? [] : inOrder(now, now.answer({ history: [...history], inSession, country, barred: masked }), weights),
  }
}

type PerUserCandidates = { view: ReleaseView; answer(asked: Asked): Answer }

async function perUserCandidates(
  dataset: Dataset,
  until: number,
  model: Ease,
  setting: PerUserSetting,
  config: Config,
): Promise<PerUserCandidates> {
  // Recall must let all of the model's candidates through, whatever else it finds.
  const usual = { ...USUAL_RECALL, candidates: config.candidates }
  const learned = await learn({ dataset, until }, config, usual, () => Promise.resolve())
  const trial = await trialView(dataset, learned, usual)
  const view: ReleaseView = { ...trial, manifest: { ...trial.manifest, recall: { ...usual, candidates: dataset.items.length } } }
  const regions = regionsOf(view)
  const space = new RecallSpace(dataset.items.length)
  const scores = new PerUserScores(model, setting)
  return {
    view,
    answer({ history, inSession, country, barred }) {
      scores.fill(history, inSession)
      const best = scores.top(config.candidates, (item) => !barred.has(item))
      const wanted = new Set(best)
      const request = requestOf(view, regions, { history, country })
      // As if they were trending: so recall collects every fact about them, found by our lists or not.
      const trending = best.map((item) => ({ item, score: 1 }))
      const found = recall(view, space, { ...request, trending }, (item) => wanted.has(item))
      return { candidates: scoredBy(found, best, model, scores), request }
    },
  }
}

/** The candidates in the model's order, with its scores, relative to the best, in the neighbours' columns. */
function scoredBy(found: Candidates, best: readonly number[], model: Ease, scores: PerUserScores): Candidates {
  const position = new Map(Array.from(found.item, (item, i) => [item, i]))
  const order = best.flatMap((item) => position.get(item) ?? [])
  const arranged = <T extends Float32Array | Uint8Array | Uint32Array>(column: T): T => {
    const to = column.slice() as T
    order.forEach((from, i) => {
      to[i] = column[from]
    })
    return to
  }
  const columns = Object.entries(found).map(([name, column]) => [name, typeof column === 'number' ? column : arranged(column)])
  const candidates = Object.fromEntries(columns) as Candidates
  const top = order.length > 0 ? scores.total[model.place[found.item[order[0]]]] : 0
  const relative = (column: Float32Array): Float32Array =>
    Float32Array.from(candidates.item, (item) => (top > 0 ? Math.max(0, column[model.place[item]] / top) : 0))
  const total = relative(scores.total)
  return {
    ...candidates,
    merged: total,
    similar: total,
    past: relative(scores.past),
    lastSimilar: relative(scores.newest),
    trending: new Float32Array(candidates.count),
  }
}

/** Item indices, best first; the model's own order where there are no weights. */
function inOrder({ view }: PerUserCandidates, { candidates, request }: Answer, weights: Weights | null): ArrayLike<number> {
  if (weights === null) return candidates.item
  return slateOf({ candidates, features: () => candidateFeatures(view, candidates, request) }, weights, candidates.count)
}

async function chooseWeights(
  earlier: PerUserCandidates,
  training: readonly Decision[],
  decisions: readonly Decision[],
  items: number,
  { epochs, seed }: Config,
): Promise<Weights | null> {
  const answerTo = (decision: Decision): Answer => earlier.answer({ ...decision, inSession: sessionLength(decision.history) })
  const examples = training.flatMap((decision): Example[] => {
    const { candidates, request } = answerTo(decision)
    const taken = Array.from(candidates.item.keys()).filter((i) => decision.next.has(candidates.item[i]))
    return taken.length > 0 ? [{ features: candidateFeatures(earlier.view, candidates, request), count: candidates.count, taken }] : []
  })
  if (epochs === 0 || examples.length === 0) return null
  const weights = await trainRanker(examples, { features: FEATURE_COUNT, epochs, seed })
  const chosenOn = decisions.filter(({ validation }) => validation)
  const quality = (by: Weights | null): number => {
    const slates = chosenOn.map((decision) => Array.from(inOrder(earlier, answerTo(decision), by)).slice(0, SLATE))
    return qualityOf(items, chosenOn, slates)['ndcg@20']
  }
  return quality(weights) > quality(null) ? weights : null
}

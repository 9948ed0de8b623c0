import type { Calibration } from '../../shared/ranking/calibration.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { EntryTables, Manifest, RecallParameters, Settings, Tried } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { learn } from '../learn/learn.ts'
import { trialView } from '../release/assemble.ts'
import { calibrate } from './calibrate.ts'
import { balanced, chooseRecall, learnRanker, type Quality, qualityOf, rounded, slates } from './choose.ts'
import { chooseEntry, newcomersSince } from './choose-entry.ts'
import { type Decision, partingTime, sampleDecisions, takenAgain } from './decisions.ts'
import { type PositionBias, positionBias } from './position-bias.ts'
import { type Search, type Searched, searchFamilies } from './search-families.ts'
import { noWeights } from './train.ts'
import { USUAL_RECALL } from './usual-recall.ts'

/** The share of deeds, at the end of the window, that the ranker learns from with lists that have not seen them. */
export const RANKER_SHARE = 0.12

/** How many decisions settings are compared on: of the families, and of recall, which takes longer. */
const SEARCHED = { families: 1500, recall: 700 }

const NOTHING_AGAIN = { selfWeight: 0, pastSelfWeight: 0 } satisfies Partial<RecallParameters>

export type Choice = {
  /** The configuration to learn with: the given one under the settings that validation preferred. */
  config: Config
  /** What was tried, and the best of it; no settings where there was too little to try any on. */
  tried: Tried[]
  settings: Settings | undefined
  recall: RecallParameters
  ranker: Manifest['ranker']
  weights: Weights
  calibration: Calibration | undefined
  positionBias: PositionBias | undefined
  /** Whether visitors without clicks are served by the context of their visit. */
  entry: boolean
  decisions: number
  metrics: Record<string, number>
}

/** What visitors did after the parting time. A fifth of them only chooses. */
export type Asked = {
  /** Unix seconds. */
  parting: number
  /** Where the search for the recall's parameters begins, and those that it leaves as they are. */
  recall: RecallParameters
  settled: Partial<RecallParameters>
  training: Decision[]
  /** The part of `training` that settings are compared on. */
  searchable: Decision[]
  validation: Decision[]
}

export function askedAfterParting(dataset: Dataset, config: Config): Asked {
  const parting = partingTime(dataset, RANKER_SHARE)
  const decisions = sampleDecisions(dataset, parting, config)
  const again = takenAgain(decisions)
  const settled = again ? {} : NOTHING_AGAIN
  const recall: RecallParameters = { ...USUAL_RECALL, ...settled, candidates: config.candidates }
  // Where nothing is taken again, everyone asks for what is new to them.
  const compared = again ? decisions : decisions.filter(({ kind }) => kind !== 'opening')
  const validation = compared.filter((decision) => decision.validation)
  const searchable = compared.filter((decision) => !decision.validation)
  const training = decisions.filter((decision) => !decision.validation)
  return { parting, recall, settled, training, searchable, validation }
}

/** With less, a ranker would learn, and be chosen by, chance. */
export const enoughToRank = ({ training, validation }: Asked): boolean => validation.length >= 20 && training.length >= 50

/** What was learned before the parting time, under the settings and with the recall that rank the searchable decisions best. */
export async function viewAtParting(
  dataset: Dataset,
  config: Config,
  { parting, recall, settled, searchable }: Asked,
  search: Search,
  advance: (step: number) => Promise<void>,
): Promise<{ tuned: ReleaseView; searched: Searched; tables: EntryTables | undefined }> {
  const window = { dataset, until: parting }
  const searched = await searchFamilies(window, searchable.slice(0, SEARCHED.families), config, search, (done, total) =>
    advance(done / total),
  )
  const before = await learn(window, searched.config, recall, (done, total = 1) => advance(1 + done / total), searched.weights)
  const view = await trialView(dataset, before, recall)
  const chosen = await chooseRecall(view, searchable.slice(0, SEARCHED.recall), settled, search.journal)
  return { tuned: { ...view, manifest: { ...view.manifest, recall: chosen } }, searched, tables: before.entry }
}

/**
 * Lists are built on the part before the parting time; how to recall, and whether and how to rank, is learned from what
 * visitors did after it.
 */
export async function chooseRanker(
  dataset: Dataset,
  config: Config,
  search: Search,
  advance: (done: number, total?: number) => Promise<void>,
): Promise<Choice> {
  const asked = askedAfterParting(dataset, config)
  const { recall, training, validation } = asked
  const decisions = training.length + validation.length
  const none: Choice = {
    config,
    tried: [],
    settings: undefined,
    recall,
    ranker: 'none',
    weights: noWeights(FEATURE_COUNT),
    calibration: undefined,
    positionBias: undefined,
    decisions,
    entry: false,
    metrics: { decisions: validation.length },
  }
  if (!enoughToRank(asked)) return none
  const steps = config.epochs + 3
  const { tuned, searched, tables } = await viewAtParting(dataset, config, asked, search, (step) => advance(step, steps))
  await advance(3, steps)
  const quality = (shown: number[][]): Quality => qualityOf(dataset.items.length, validation, shown)
  const mergedSlates = slates(tuned, validation, null)
  const merged = quality(mergedSlates)
  const popularity = quality(popularSlates(tuned, validation))
  const bias = positionBias(dataset.impressions)
  const entry = chooseEntry(tuned, tables, newcomersSince(dataset, asked.parting))
  const weights =
    config.epochs === 0
      ? none.weights
      : await learnRanker(tuned, training, bias, {
          epochs: config.epochs,
          seed: config.seed,
          onEpoch: (epoch) => advance(3 + epoch, steps),
        })
  const rankedSlates = slates(tuned, validation, weights)
  const ranked = quality(rankedSlates)
  const gain = balanced(validation, rankedSlates) - balanced(validation, mergedSlates)
  const ranker = config.epochs > 0 && gain > 0 ? 'mlp' : 'none'
  const calibrated = ranker === 'mlp' ? calibrate(tuned, validation, weights) : { calibration: undefined, metrics: {} }
  const metrics = {
    decisions: validation.length,
    ...named('served', ranker === 'mlp' ? ranked : merged),
    ...named('ranked', ranked),
    ...named('merged', merged),
    ...named('popularity', popularity),
    ...calibrated.metrics,
    newcomers: entry.newcomers,
    ...(entry.compared && { ...named('newcomers-region', entry.compared.region), ...named('newcomers-entry', entry.compared.entry) }),
  }
  return {
    config: searched.config,
    tried: searched.tried,
    settings: searched.settings,
    recall: tuned.manifest.recall,
    ranker,
    weights: ranker === 'mlp' ? weights : none.weights,
    calibration: calibrated.calibration,
    positionBias: bias,
    decisions,
    entry: entry.use,
    metrics,
  }
}

const popularSlates = (view: ReleaseView, decisions: readonly Decision[]): number[][] => {
  const popular = Array.from(view.list('*', -1)?.items ?? []).slice(0, 20)
  return decisions.map(() => popular)
}

const named = (prefix: string, quality: Quality): Record<string, number> =>
  Object.fromEntries(Object.entries(quality).map(([metric, value]) => [`${prefix}.${metric}`, rounded(value)]))

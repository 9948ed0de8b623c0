import { randomStream } from '../../shared/random.ts'
import type { Calibration } from '../../shared/ranking/calibration.ts'
import { FEATURE_COUNT, features } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { EntryTables, Manifest, RecallParameters, Settings, Tried } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { learn } from '../learn/learn.ts'
import { trialView } from '../release/assemble.ts'
import { calibrate } from './calibrate.ts'
import { chooseRecall, learnRanker, nightsOf, type Quality, qualityOf, rounded, type ServedView, withRecall } from './choose.ts'
import { chooseEntry, newcomersSince } from './choose-entry.ts'
import { type Decision, decisionsAt, partingTime, sampleDecisions, takenAgain } from './decisions.ts'
import { fadesFast, pastNights, servedOnNights } from './past-nights.ts'
import { type PositionBias, positionBias } from './position-bias.ts'
import { restrain } from './restrain.ts'
import { type Search, type Searched, searchFamilies } from './search-families.ts'
import { noWeights } from './train.ts'
import { USUAL_RECALL } from './usual-recall.ts'

/** The share of deeds, at the end of the window, that the ranker learns from with lists that have not seen them. */
const RANKER_SHARE = 0.12
/** Where times say nothing it is drawn at random, and each visitor's whole share is asked for at once: more makes a better question. */
const UNTIMED_SHARE = 0.2

export const rankerShare = ({ timed }: Pick<Config, 'timed'>): number => (timed ? RANKER_SHARE : UNTIMED_SHARE)

/** What tells of an order or of time: noise where times say nothing. */
const TIMED_FEATURES = new Set([
  'past',
  'lastSimilar',
  'lastTogether',
  'next',
  'lastNext',
  'isNewest',
  'historyRecency',
  'itemAge',
  'trend',
  'age',
  'ageGap',
  'historyAge',
  'lastDot',
  'sameCategory',
  'sessionLength',
  'gap',
])

/** What compares the ages of items. */
const DATED_FEATURES = new Set(['ageGap', 'historyAge'])

/** Where the catalogue does not say since when items have been there, most are as old as the record, or the visitor. */
const isDated = ({ items, from }: Dataset): boolean =>
  2 * items.filter(({ firstSeen }) => firstSeen !== 0 && firstSeen < from).length > items.length

/** Positions of the features that a ranker of this history must not see. */
export function unseen({ timed }: Pick<Config, 'timed'>, dataset: Dataset): number[] {
  const dated = isDated(dataset)
  const hidden = (name: string): boolean => (!timed && TIMED_FEATURES.has(name)) || (!dated && DATED_FEATURES.has(name))
  return Array.from(features.keys()).filter((position) => hidden(features[position].name))
}

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
  /** Whether visitors take again what they had. */
  again: boolean
  training: Decision[]
  validation: Decision[]
}

export function askedAfterParting(dataset: Dataset, config: Config): Asked {
  const parting = partingTime(dataset, rankerShare(config))
  const decisions = sampleDecisions(dataset, parting, config)
  const again = takenAgain(decisions)
  const settled = again ? {} : NOTHING_AGAIN
  const recall: RecallParameters = { ...USUAL_RECALL, ...settled, candidates: config.candidates }
  return { parting, recall, settled, again, ...sorted(decisions, again) }
}

/** Where nothing is taken again, everyone asks for what is new to them. */
function sorted(decisions: readonly Decision[], again: boolean): Pick<Asked, 'training' | 'validation'> {
  const compared = again ? decisions : decisions.filter(({ kind }) => kind !== 'opening')
  const of = (validation: boolean): Decision[] => compared.filter((decision) => decision.validation === validation)
  return { training: of(false), validation: of(true) }
}

/** So that the first of them are of every kind. */
function shuffled(decisions: readonly Decision[], seed: number): Decision[] {
  const random = randomStream(seed)
  return decisions
    .map((decision) => ({ decision, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ decision }) => decision)
}

/** With less, a ranker would learn, and be chosen by, chance. */
export const enoughToRank = ({ training, validation }: Asked): boolean => validation.length >= 20 && training.length >= 50

/** What a night at the parting time would have served, and its tables for visitors without clicks. */
type Parted = { view: ReleaseView; tables: EntryTables | undefined }

/** What was learned before the parting time, or on several nights, under the settings and with the recall that rank the training decisions best. */
export async function viewsToLearnFrom(
  dataset: Dataset,
  config: Config,
  { parting, recall, settled, again, training, validation }: Asked,
  search: Search,
  advance: (step: number) => Promise<void>,
): Promise<{ tuned: ServedView; parted: Parted; searched: Searched; training: Decision[]; validation: Decision[] }> {
  const window = { dataset, until: parting }
  const searched = await searchFamilies(window, training.slice(0, SEARCHED.families), config, search, (done, total) =>
    advance(done / total),
  )
  const before = await learn(window, searched.config, recall, (done, total = 1) => advance(1 + done / total), searched.weights)
  const view: ServedView = await trialView(dataset, before, recall)
  const parted = { view, tables: before.entry }
  const tune = async (served: ServedView, answered: Pick<Asked, 'training' | 'validation'>) => {
    const chosen = await chooseRecall(served, answered.training.slice(0, SEARCHED.recall), settled, search.journal)
    return { tuned: withRecall(served, chosen), parted, searched, ...answered }
  }
  if (!fadesFast(searched)) return tune(view, { training, validation })
  const nights = pastNights(dataset)
  const steps = [...training, ...validation].filter(({ kind }) => kind === 'step')
  const posed = [...decisionsAt(dataset, nights, config), ...steps]
  const served = await servedOnNights(dataset, nights, searched.config, recall, (share) => advance(2 + share))
  return tune(served, sorted(shuffled(posed, config.seed), again))
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
  const { recall } = asked
  const none: Choice = {
    config,
    tried: [],
    settings: undefined,
    recall,
    ranker: 'none',
    weights: noWeights(FEATURE_COUNT),
    calibration: undefined,
    positionBias: undefined,
    decisions: asked.training.length + asked.validation.length,
    entry: false,
    metrics: { decisions: asked.validation.length },
  }
  if (!enoughToRank(asked)) return none
  const steps = config.epochs + 3
  const { tuned, parted, searched, training, validation } = await viewsToLearnFrom(dataset, config, asked, search, (step) =>
    advance(step, steps),
  )
  await advance(3, steps)
  const quality = (shown: number[][]): Quality => qualityOf(dataset.items.length, validation, shown)
  const popularity = quality(popularSlates(tuned, validation))
  const bias = positionBias(dataset.impressions)
  const entry = chooseEntry(parted.view, parted.tables, newcomersSince(dataset, asked.parting))
  const trained =
    config.epochs === 0
      ? none.weights
      : await learnRanker(tuned, training, bias, {
          epochs: config.epochs,
          seed: config.seed,
          without: unseen(config, dataset),
          onEpoch: (epoch) => advance(3 + epoch, steps),
        })
  const { weights, by, ...shown } = restrain(tuned, validation, trained)
  const [merged, ranked] = [quality(shown.merged), quality(shown.ranked)]
  const calibrated = weights === null ? { calibration: undefined, metrics: {} } : calibrate(tuned, validation, weights)
  const metrics = {
    decisions: validation.length,
    ...named('served', weights === null ? merged : ranked),
    ...named('ranked', ranked),
    ...named('merged', merged),
    ...(by > 0 && { restraint: by }),
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
    ranker: weights === null ? 'none' : 'mlp',
    weights: weights ?? none.weights,
    calibration: calibrated.calibration,
    positionBias: bias,
    decisions: training.length + validation.length,
    entry: entry.use,
    metrics,
  }
}

function popularSlates(served: ServedView, decisions: readonly Decision[]): number[][] {
  const nightOf = nightsOf(served)
  return decisions.map((decision) => Array.from(nightOf(decision).view.list('*', -1)?.items ?? []).slice(0, 20))
}

const named = (prefix: string, quality: Quality): Record<string, number> =>
  Object.fromEntries(Object.entries(quality).map(([metric, value]) => [`${prefix}.${metric}`, rounded(value)]))

import { join } from 'node:path'
import { FEATURE_COUNT, FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { canonicalJson } from '../../shared/release/hash.ts'
import { type Manifest, type RecallParameters, releaseId } from '../../shared/release/manifest.ts'
import type { MemberInput } from '../../shared/release/member-pack.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { ingest } from '../ingest.ts'
import { type Learned, learn } from '../learn/learn.ts'
import { chooseRecall, learnRanker, type Quality, qualityOf, slates } from '../ranker/choose.ts'
import { type Decision, partingTime, sampleDecisions } from '../ranker/decisions.ts'
import { noWeights } from '../ranker/train.ts'
import { encodePacks, type PackNames } from '../release/packs.ts'
import { type Published, publish } from '../release/publish.ts'
import { readChannel } from '../release/release-store.ts'
import { viewOfPacks } from '../release/view-of-packs.ts'
import { InputError, type Source } from '../sources/source.ts'
import type { BlobSource } from '../stores/blob-source.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import { writeBundledList } from './bundled-list.ts'
import { codeVersion } from './code-version.ts'
import { type Gate, judge } from './gates.ts'
import { memberHistories } from './members.ts'
import { type Advance, type Progress, type StageResult, Stages } from './stages.ts'

export type NightOptions = {
  sources: Source[]
  config: Config
  kv: KvSink
  blobs: BlobSource
  /** Where checkpoints, temporary files and the bundled list live. */
  directory: string
  /** Pseudonymises imported visitors for the member packs; null leaves them out. */
  idKey: string | null
  /** Compute although nothing changed, and publish even when a gate says no. */
  force: boolean
  threads: number
  /** Unix milliseconds, for bookkeeping outside the release's hash. */
  now: number
  progress: Progress
}

export type NightReport = {
  release: string
  seconds: number
  peakMb: number
  kvWrites: number
  kvDeletes: number
  changed: boolean
  published: boolean
  gates: Gate[]
  metrics: Record<string, number>
  dropped: Record<string, number>
  items: number
  visitors: number
  events: number
  regions: number
  stages: StageResult[]
}

/** The share of deeds, at the end of the window, that the ranker learns from with lists that have not seen them. */
const RANKER_SHARE = 0.12

/** One night: from the sources to a live release. @throws InputError when the input cannot be learned from */
export async function night(options: NightOptions): Promise<NightReport> {
  const { config, progress } = options
  const stages = new Stages(progress, join(options.directory, 'checkpoints'))
  const dataset = await stages.run(
    'ingest',
    (data) => data.deeds.count,
    () => ingest(options.sources, { threads: options.threads, workDirectory: options.directory }),
  )
  if (dataset.items.length === 0 || dataset.deeds.count === 0)
    throw new InputError('no usable events in the input; "nightjar nightly --help" shows what a source needs')
  const code = codeVersion()
  const lineage = { data: dataset.fingerprint, config: canonicalJson(config), code }
  const key = (await releaseKey(lineage)).slice(0, 16)
  const stable = (await readChannel(options.kv))?.stable ?? null
  const report = reporter(dataset, stages)
  // The same input under the same configuration and code is the release that is live already.
  if (stable !== null && sameLineage(stable.manifest, lineage) && !options.force) {
    return report(stable.manifest, [], { release: stable.release, kvWrites: 0, kvDeletes: 0, changed: false }, true)
  }

  const choice = await stages.resumable<Choice>(
    'ranker',
    key,
    (chosen) => chosen.decisions,
    (advance) => chooseRanker(dataset, config, advance),
  )
  const learned = await stages.resumable<Learned>(
    'learn',
    key,
    (result) => result.neighbours.length,
    (advance) => learn({ dataset, until: dataset.to + 1 }, config, choice.recall, advance),
  )
  const members: MemberInput[] =
    options.idKey === null
      ? []
      : await stages.run(
          'members',
          (list) => list.length,
          () => memberHistories(dataset, options.idKey ?? ''),
        )
  const { packs, names } = await stages.run(
    'packs',
    (encoded) => encoded.packs.size,
    () => encodePacks(learned, dataset.items, choice.weights, members),
  )
  const manifest = assembleManifest({ dataset, config, learned, choice, names, lineage, stable })
  const gates = await stages.run(
    'gates',
    (list) => list.length,
    () => judge(manifest, learned, config, stable?.manifest ?? null),
  )
  const refused = gates.some((gate) => !gate.passed) && !options.force
  const published: Published = refused
    ? { release: await releaseId(manifest), kvWrites: 0, kvDeletes: 0, changed: false }
    : await stages.run(
        'publish',
        (result) => result.kvWrites,
        () => publish(options.kv, options.blobs, manifest, packs, options.now),
      )
  if (!refused) {
    writeBundledList(join(options.directory, 'bundled.json'), dataset, learned)
    stages.forget()
  }
  return report(manifest, gates, published, !refused)
}

type Lineage = Pick<Manifest['lineage'], 'data' | 'config' | 'code'>

const sameLineage = ({ lineage }: Manifest, other: Lineage): boolean =>
  lineage.data === other.data && lineage.config === other.config && lineage.code === other.code

/** Makes the report of a night that began now. */
function reporter(dataset: Dataset, stages: Stages) {
  const start = performance.now() - 1000 * stages.results.reduce((sum, { seconds }) => sum + seconds, 0)
  return (manifest: Manifest, gates: Gate[], published: Published, isPublished: boolean): NightReport => ({
    ...published,
    published: isPublished,
    seconds: (performance.now() - start) / 1000,
    // maxRSS is in kibibytes on every platform Node runs on.
    peakMb: process.resourceUsage().maxRSS / 1024,
    gates,
    metrics: manifest.metrics,
    dropped: dataset.dropped,
    items: manifest.items,
    visitors: manifest.lineage.visitors,
    events: manifest.lineage.events,
    regions: manifest.lists.reduce((sum, pack) => sum + pack.regions.length, 0),
    stages: stages.results,
  })
}

const releaseKey = async (value: unknown): Promise<string> => {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(canonicalJson(value))))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

type Choice = { recall: RecallParameters; ranker: Manifest['ranker']; weights: Weights; decisions: number; metrics: Record<string, number> }

/**
 * Lists are built on the part before the parting time; how to recall, and whether and how to rank, is learned from what
 * visitors did after it. A fifth of the visitors only chooses.
 */
async function chooseRanker(dataset: Dataset, config: Config, advance: Advance): Promise<Choice> {
  const recall: RecallParameters = { historyItems: 20, historyDecay: 5, selfWeight: 0.3, listWeight: 0.15, candidates: config.candidates }
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
  const chosen = chooseRecall(view, training.slice(0, 600))
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

const popularSlates = (view: Awaited<ReturnType<typeof trialView>>, decisions: readonly Decision[]): number[][] => {
  const popular = Array.from(view.list('*', -1)?.items ?? []).slice(0, 20)
  return decisions.map(() => popular)
}

/** Metrics go into the manifest at a fixed precision, so that its bytes do not hang on the last bit. */
const named = (prefix: string, quality: Quality): Record<string, number> =>
  Object.fromEntries(Object.entries(quality).map(([metric, value]) => [`${prefix}.${metric}`, Math.round(value * 1e6) / 1e6]))

async function trialView(dataset: Dataset, learned: Learned, recall: RecallParameters): Promise<ReturnType<typeof viewOfPacks>> {
  const { packs, names } = await encodePacks(learned, dataset.items, noWeights(FEATURE_COUNT), [])
  return viewOfPacks('trial', manifestOf({ names, recall, items: dataset.items.length, idSalt: learned.idSalt }), packs)
}

const manifestOf = (known: { names: PackNames; recall: RecallParameters; items: number; idSalt: number }): Manifest => ({
  format: 1,
  items: known.items,
  idSalt: known.idSalt,
  featureSet: FEATURE_SET,
  graph: GRAPH_HASH,
  ranker: 'none',
  recall: known.recall,
  ...known.names,
  now: 0,
  metrics: {},
  lineage: { source: '', data: '', from: 0, to: 0, events: 0, visitors: 0, config: '', code: '', seed: 0, parent: null },
})

type Parts = {
  dataset: Dataset
  config: Config
  learned: Learned
  choice: Choice
  names: PackNames
  lineage: Lineage
  stable: { release: string; manifest: Manifest } | null
}

function assembleManifest({ dataset, config, learned, choice, names, lineage, stable }: Parts): Manifest {
  const same = stable !== null && sameLineage(stable.manifest, lineage)
  return {
    ...manifestOf({ names, recall: choice.recall, items: dataset.items.length, idSalt: learned.idSalt }),
    ranker: choice.ranker,
    now: dataset.to,
    metrics: { ...choice.metrics, cohorts: learned.core.cohorts },
    lineage: {
      ...lineage,
      source: dataset.source,
      from: dataset.from,
      to: dataset.to,
      events: dataset.deeds.count,
      visitors: dataset.visitors.length,
      seed: config.seed,
      // A night on unchanged input is the same release, so it keeps the parent it had.
      parent: same && stable !== null ? stable.manifest.lineage.parent : (stable?.release ?? null),
    },
  }
}

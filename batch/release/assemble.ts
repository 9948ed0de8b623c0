import { FEATURE_COUNT, FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import type { Manifest, RecallParameters, Settings } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import type { Learned } from '../learn/learn.ts'
import type { Choice } from '../ranker/choice.ts'
import { noWeights } from '../ranker/train.ts'
import { encodePacks, type PackNames } from './packs.ts'
import { viewOfPacks } from './view-of-packs.ts'

export type Lineage = Pick<Manifest['lineage'], 'data' | 'config' | 'code'>

export const sameLineage = ({ lineage }: Manifest, other: Lineage): boolean =>
  lineage.data === other.data && lineage.config === other.config && lineage.code === other.code

/**
 * Where a search on this input begins: with what was found for the stable release, as long as the site and the
 * configuration are the same. On the very input of that release it begins where it began then, and so ends there too.
 */
export function searchStart(stable: Manifest | null, lineage: Lineage, source: string): Settings | null {
  if (stable === null) return null
  if (sameLineage(stable, lineage)) return stable.lineage.start ?? null
  return stable.lineage.config === lineage.config && stable.lineage.source === source ? (stable.settings ?? null) : null
}

type Parts = {
  dataset: Dataset
  config: Config
  learned: Learned
  choice: Choice
  names: PackNames
  lineage: Lineage
  start: Settings | null
  stable: { release: string; manifest: Manifest } | null
}

export function assembleManifest({ dataset, config, learned, choice, names, lineage, start, stable }: Parts): Manifest {
  const same = stable !== null && sameLineage(stable.manifest, lineage)
  return {
    ...manifestOf({ names, recall: choice.recall, items: dataset.items.length, idSalt: learned.idSalt }),
    ranker: choice.ranker,
    ...(choice.calibration && { calibration: choice.calibration }),
    ...(choice.positionBias && { positionBias: choice.positionBias }),
    tried: choice.tried,
    ...(choice.entry && learned.entry !== undefined && { entry: learned.entry }),
    ...(choice.settings && { settings: choice.settings }),
    now: dataset.to,
    metrics: { ...choice.metrics, cohorts: learned.core.cohorts },
    lineage: {
      ...lineage,
      source: dataset.source,
      from: dataset.from,
      to: dataset.to,
      events: dataset.deeds.count,
      visitors: dataset.visitors.length,
      ...(dataset.catalogueAt !== undefined && { catalogueAt: dataset.catalogueAt }),
      seed: config.seed,
      // A night on unchanged input is the same release, so it keeps the parent it had.
      parent: same && stable !== null ? stable.manifest.lineage.parent : (stable?.release ?? null),
      start,
    },
  }
}

/** What was learned, as the edge would read it, before a ranker is chosen. */
export async function trialView(dataset: Dataset, learned: Learned, recall: RecallParameters): Promise<ReleaseView> {
  const { packs, names } = await encodePacks(learned, dataset.items, noWeights(FEATURE_COUNT), [])
  return viewOfPacks('trial', manifestOf({ names, recall, items: dataset.items.length, idSalt: learned.idSalt }), packs)
}

/** A manifest of these packs that says nothing else yet: no ranker, no metrics. */
export const manifestOf = (known: { names: PackNames; recall: RecallParameters; items: number; idSalt: number }): Manifest => ({
  format: 1,
  items: known.items,
  idSalt: known.idSalt,
  featureSet: FEATURE_SET,
  graph: GRAPH_HASH,
  ranker: 'none',
  recall: known.recall,
  tried: [],
  ...known.names,
  now: 0,
  metrics: {},
  lineage: { source: '', data: '', from: 0, to: 0, events: 0, visitors: 0, config: '', code: '', seed: 0, parent: null },
})

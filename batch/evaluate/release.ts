import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReleaseView } from '../../shared/ranking/release-view.ts'
import { type Manifest, releaseId } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import { compute } from '../night/compute.ts'
import { releaseBytes } from '../night/gates.ts'
import { type Progress, type StageResult, Stages } from '../night/stages.ts'
import { onnxScorer } from '../ranker/onnx-scorer.ts'
import { assembleManifest } from '../release/assemble.ts'
import type { Packs } from '../release/packs.ts'
import { viewOfPacks } from '../release/view-of-packs.ts'
import { nightjarSystems } from './systems/nightjar.ts'
import type { System, Trial } from './trial.ts'

export type LearnedRelease = {
  release: string
  manifest: Manifest
  packs: Packs
  view: ReleaseView
  systems: System[]
  stages: StageResult[]
  metrics: Record<string, number>
}

/**
 * What a night would publish for this training part, read back from its packs.
 * @param idKey pseudonymises the visitors of members packs; null makes none
 */
export async function learnRelease(
  { train }: Pick<Trial, 'train'>,
  config: Config,
  progress: Progress,
  idKey: string | null = null,
): Promise<LearnedRelease> {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-trial-'))
  try {
    const stages = new Stages(progress, directory)
    const { choice, learned, packs, names } = await compute(train, config, { stages, key: 'trial', start: null, idKey })
    const lineage = { data: train.fingerprint, config: '', code: '' }
    const manifest = assembleManifest({ dataset: train, config, learned, choice, names, lineage, start: null, stable: null })
    const release = await releaseId(manifest)
    const view = viewOfPacks(release, manifest, packs)
    const scorer = choice.ranker === 'mlp' ? await onnxScorer(choice.weights) : null
    const systems = nightjarSystems(view, scorer, releaseBytes(manifest) / Math.max(1, manifest.items))
    return { release, manifest, packs, view, systems, stages: stages.results, metrics: choice.metrics }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

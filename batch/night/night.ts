import { join } from 'node:path'
import { canonicalJson } from '../../shared/release/hash.ts'
import { type Manifest, releaseId } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { ingest } from '../ingest.ts'
import { assembleManifest, sameLineage, searchStart } from '../release/assemble.ts'
import { type Plan, planOf } from '../release/plan.ts'
import { type Published, publish } from '../release/publish.ts'
import { lostPacks, readChannel } from '../release/release-store.ts'
import { InputError, type Source } from '../sources/source.ts'
import type { BlobSource } from '../stores/blob-source.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import { writeBundledList } from './bundled-list.ts'
import { codeVersion } from './code-version.ts'
import { compute } from './compute.ts'
import { type Gate, judge } from './gates.ts'
import { cpuSeconds, type Progress, peakMb, type StageResult, Stages } from './stages.ts'

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
  /** Compute, and say what publishing would do; neither KV nor R2 is written. */
  plan?: boolean
  threads: number
  /** Unix seconds: learn only from what happened in it; all there is without either. */
  window?: { from?: number; to?: number }
  /** Unix milliseconds, for bookkeeping outside the release's hash. */
  now: number
  progress: Progress
}

export type NightReport = {
  release: string
  seconds: number
  /** Of all threads of the process since it began. */
  cpuSeconds: number
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
  /** Where that is all that was asked for. */
  plan?: Plan
}

/** One night: from the sources to a live release. @throws InputError when the input cannot be learned from */
export async function night(options: NightOptions): Promise<NightReport> {
  const { config, progress } = options
  const stages = new Stages(progress, join(options.directory, 'checkpoints'))
  const dataset = await stages.run(
    'ingest',
    (data) => data.deeds.count,
    () => ingest(options.sources, { threads: options.threads, workDirectory: options.directory, ...options.window }),
  )
  if (dataset.items.length === 0 || dataset.deeds.count === 0)
    throw new InputError(`no usable events in the input${reasons(dataset.dropped)}; docs/data.md says what a night needs`)
  const code = codeVersion()
  const lineage = { data: dataset.fingerprint, config: canonicalJson({ ...config, members: options.idKey !== null }), code }
  const stable = (await readChannel(options.kv))?.stable ?? null
  const start = searchStart(stable?.manifest ?? null, lineage, dataset.source)
  const key = (await releaseKey({ ...lineage, start })).slice(0, 16)
  const report = reporter(dataset, stages)
  // The same input under the same configuration and code is the release that is live already.
  if (stable !== null && sameLineage(stable.manifest, lineage) && !options.force && (await isWhole(options.kv, stable.manifest))) {
    const unchanged = report(stable.manifest, [], { release: stable.release, kvWrites: 0, kvDeletes: 0, changed: false }, true)
    return options.plan ? { ...unchanged, plan: await planOf(options.kv, stable.manifest, options.now) } : unchanged
  }

  const { choice, learned, packs, names } = await compute(dataset, config, { stages, key, start, idKey: options.idKey })
  const manifest = assembleManifest({ dataset, config, learned, choice, names, lineage, start, stable })
  const gates = await stages.run(
    'gates',
    (list) => list.length,
    () => judge(manifest, learned, config, stable?.manifest ?? null),
  )
  if (options.plan) {
    const plan = await planOf(options.kv, manifest, options.now)
    return { ...report(manifest, gates, { release: plan.release, kvWrites: 0, kvDeletes: 0, changed: false }, false), plan }
  }
  const refused = gates.some((gate) => !gate.passed) && !options.force
  const published: Published = refused
    ? { release: await releaseId(manifest), kvWrites: 0, kvDeletes: 0, changed: false }
    : await stages.run(
        'publish',
        (result) => result.kvWrites,
        () => publish(options.kv, options.blobs, manifest, packs, options.now, options.force),
      )
  if (!refused) {
    writeBundledList(join(options.directory, 'bundled.json'), dataset, learned)
    stages.forget()
  }
  return report(manifest, gates, published, !refused)
}

const reasons = (dropped: Record<string, number>): string => {
  const counts = Object.entries(dropped).map(([reason, rows]) => `${rows} rows left out: ${reason}`)
  return counts.length > 0 ? ` (${counts.join(', ')})` : ''
}

const isWhole = async (kv: KvSink, manifest: Manifest): Promise<boolean> => (await lostPacks(kv, manifest)).length === 0

/** Makes the report of a night that began now. */
function reporter(dataset: Dataset, stages: Stages) {
  const start = performance.now() - 1000 * stages.results.reduce((sum, { seconds }) => sum + seconds, 0)
  return (manifest: Manifest, gates: Gate[], published: Published, isPublished: boolean): NightReport => ({
    ...published,
    published: isPublished,
    seconds: (performance.now() - start) / 1000,
    cpuSeconds: cpuSeconds(),
    peakMb: peakMb(),
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

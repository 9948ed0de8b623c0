import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parseRetention } from '../../shared/retention.ts'
import { readConfig } from '../config.ts'
import { archiveParts, euCopy } from '../night/archive-parts.ts'
import { recordFor } from '../night/audit.ts'
import { fetchEdgeEvents } from '../night/edge-events.ts'
import { flushEdge } from '../night/flush-edge.ts'
import { type CopiedPart, dropStrays, forgetErased } from '../night/forget.ts'
import { takeLock } from '../night/lock.ts'
import { type NightReport, night } from '../night/night.ts'
import type { Progress } from '../night/stages.ts'
import { checkOptions, openSource, sourceNames } from '../sources/registry.ts'
import { InputError, type Source } from '../sources/source.ts'
import type { BlobSource } from '../stores/blob-source.ts'
import { describedPlan, refusedBy } from './described-plan.ts'
import { plainProgress, silentProgress, terminalProgress } from './progress.ts'
import { readAdminKey, readSecret } from './secrets.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'
import { readVariable } from './variables.ts'
import { wholeNumber } from './whole-number.ts'

type NightlyOptions = TargetOptions & {
  source: string
  events?: string
  items?: string
  mapping?: string
  data?: string
  config?: string
  from?: number
  to?: number
  edgeEvents?: boolean
  members?: true
  force?: true
  plan?: true
  threads: number
  json?: true
}

/** Sources whose history ends in the past: the edge's events of today would be alone in every window. */
const HISTORIC = new Set(['online-retail', 'movietweetings'])

export const nightlyCommand = (): Command =>
  withTarget(
    new Command('nightly')
      .description('learn from yesterday’s events and publish a release')
      .addOption(new Option('--source <name>', 'where the history comes from').choices(sourceNames).default('shop'))
      .option('--events <file>', 'csv source: events as CSV, NDJSON or Parquet, gzipped or not')
      .option('--items <file>', 'csv source: the catalogue, in the same formats')
      .option('--mapping <file>', 'csv source: JSON that says which column is which (docs/data.md)')
      .option('--data <folder>', 'folder of a named data set')
      .option('--config <file>', 'JSON that overrides defaults (docs/nightly.md)')
      .option('--edge-events', 'also learn from what the edge recorded (the default, but for historic data sets)')
      .option('--no-edge-events', 'leave out what the edge recorded')
      .option('--from <time>', 'learn only from what happened since then: a day or an ISO 8601 time, UTC', momentOf)
      .option('--to <time>', 'and before then; with --from, any window is rebuilt from the archive', momentOf)
      .option('--members', 'let the edge start imported visitors from their history; only with their consent')
      .option('--force', 'compute although nothing changed, and publish even when a gate says no')
      .option('--plan', 'compute everything, publish nothing: say what would be written, deleted and stored, and what that costs')
      .option('--threads <n>', 'threads of the SQL engine; the result does not depend on it', wholeNumber(1, 1024), availableParallelism())
      .option('--json', 'print the report as JSON and nothing else'),
  )
    .addHelpText(
      'after',
      `
The release goes live only after everything was written and a sample read back; if the night is stopped before, what was
served stays, and the next run resumes.

Examples:
  $ npx nightjar nightly --source online-retail
  $ npx nightjar nightly --source online-retail --plan
  $ npx nightjar nightly --source csv --events orders.parquet --items products.ndjson --mapping mapping.json --json`,
    )
    .action(runNightly)

async function runNightly(options: NightlyOptions): Promise<void> {
  const config = readConfig(options.config)
  checkOptions(options.source, options)
  const { from, to } = options
  if (from !== undefined && to !== undefined && from >= to) throw new InputError('--from must be before --to')
  const directory = resolve(options.directory)
  const idKey = options.members ? readSecret('ID_KEY') : null
  if (options.members && idKey === null)
    throw new InputError('--members needs ID_KEY, the deployment’s own: in .dev.vars or in the environment')
  const progress = options.json
    ? silentProgress
    : process.stdout.isTTY
      ? terminalProgress()
      : plainProgress((text) => process.stdout.write(text))
  const unlock = takeLock(join(directory, 'night.lock'))
  try {
    const stores = await openTarget(options)
    try {
      const sources: Source[] = [openSource(options.source, { ...options, directory })]
      if (options.edgeEvents ?? !HISTORIC.has(options.source)) {
        if (!options.plan) await flushEdge(directory, readAdminKey(), progress)
        const archive = join(directory, 'edge-events')
        const parts = archiveParts(stores, archive)
        const copied: CopiedPart[] = []
        let files = 0
        let rejected = 0
        let gone = 0
        for (const part of parts) {
          const fetched = await fetchEdgeEvents(part.archive, part.directory, progress.advance)
          copied.push({ ...part, keys: fetched.events })
          files += fetched.files
          rejected += fetched.rejected
          gone += fetched.gone
        }
        if (rejected > 0) progress.note(`${rejected} archived lines fit no contract and went to quarantine: npx nightjar quarantine list`)
        if (gone > 0) progress.note(`${gone} archive files had their time, and went while the archive was read`)
        if (!options.plan) await forgetAndRecord(stores.blobs, copied, progress)
        // A part that the deployment no longer has.
        if (!options.plan && !parts.some(({ name }) => name === 'eu/')) rmSync(euCopy(archive), { recursive: true, force: true })
        if (files > 0) sources.push(openSource('edge', { ...options, directory, data: archive }))
      }
      const report = await night({
        sources,
        config,
        kv: stores.kv,
        blobs: stores.blobs,
        directory,
        idKey,
        force: options.force === true,
        plan: options.plan === true,
        threads: options.threads,
        window: { ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
        now: Date.now(),
        progress,
      })
      process.stdout.write(
        options.json ? `${JSON.stringify(report)}\n` : report.plan ? describedPlan(report, report.plan) : summary(report),
      )
      if (report.plan ? refusedBy(report).length > 0 : !report.published) process.exitCode = 3
    } finally {
      await stores.close()
    }
  } finally {
    unlock()
  }
}

/**
 * What must not be learned from leaves the archive before anything is read, and that it did is put on record.
 * @param copied with the files that were brought: the edge may have written others meanwhile, which are the next night's
 */
async function forgetAndRecord(blobs: BlobSource, copied: readonly CopiedPart[], progress: Progress): Promise<void> {
  for (const { directory, keys } of copied) dropStrays(directory, keys)
  const retention = parseRetention(await readVariable('RETENTION_DAYS'))
  const { visitors, events, expired, files } = await forgetErased(copied, retention, Date.now())
  if (files === 0) return
  await recordFor('night', blobs, { action: 'forgotten', actor: 'night', detail: { visitors, events, expired, files } }, Date.now())
  progress.note(
    `Removed from the archive: ${count.format(events)} events of ${count.format(visitors)} erased visitors, ${count.format(expired)} that had their time.`,
  )
}

/** Unix seconds of a day (its beginning) or an ISO 8601 time; without a zone, UTC. */
function momentOf(text: string): number {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(text) ? `${text}Z` : text)
  if (Number.isNaN(time) || !/^\d{4}-\d{2}-\d{2}/.test(text))
    throw new InvalidArgumentError('It must be a day such as 2026-11-23, or a time such as 2026-11-23T18:00Z.')
  return Math.floor(time / 1000)
}

const count = new Intl.NumberFormat('en')

function summary(report: NightReport): string {
  const lines = [
    '',
    report.published
      ? `Release ${report.release} is live${report.changed ? '' : ' already; nothing had changed'}: ${count.format(report.items)} items, ${count.format(report.events)} deeds of ${count.format(report.visitors)} visitors, ${report.regions} regions, ${report.metrics.cohorts ?? 0} cohorts.`
      : `Release ${report.release} was NOT published; what was served stays. --force publishes it all the same.`,
    ...report.gates
      .filter((gate) => !gate.passed || !report.published)
      .map((gate) => `  ${gate.passed ? 'passed' : 'FAILED'}  ${gate.name}: ${gate.detail}`),
    ...Object.entries(report.dropped)
      .filter(([, rows]) => rows > 0)
      .map(([reason, rows]) => `  left out ${count.format(rows)} rows: ${reason}`),
    ...quality(report.metrics),
    `${report.seconds.toFixed(1)} s, ${Math.round(report.peakMb)} MB at most, ${report.kvWrites} KV writes, ${report.kvDeletes} deletes`,
  ]
  return `${lines.join('\n')}\n`
}

function quality(metrics: Record<string, number>): string[] {
  if (!(metrics.decisions > 0)) return []
  const of = (system: string): string => `${metrics[`${system}.recall@20`]?.toFixed(3)} / ${metrics[`${system}.ndcg@20`]?.toFixed(3)}`
  return [
    `On ${count.format(metrics.decisions)} decisions kept for validation, Recall@20 / NDCG@20: served ${of('served')}, without ranker ${of('merged')}, popularity ${of('popularity')}.`,
  ]
}

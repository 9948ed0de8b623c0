import { cpSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import type { Bench } from '../edge-bench/bench-edge.ts'
import type { Row } from '../edge-bench/rows.ts'
import { type Scenario, scenarios } from '../edge-bench/scenarios.ts'
import { readChannel } from '../release/release-store.ts'
import { sourceNames } from '../sources/registry.ts'
import { openStores, stateOf } from '../stores/open-stores.ts'
import { plainProgress } from './progress.ts'
import { runNight } from './run-night.ts'
import { DEFAULT_DIRECTORY } from './target.ts'
import { wholeNumber } from './whole-number.ts'

/** What a run measures: these at a warm isolate, and whether what is cold as well. */
type Wanted = { warm: readonly Scenario[]; cold: boolean }
type EdgeBenchOptions = { source: string; directory: string; rounds: number; scenarios: Wanted; quick?: true; json?: string }

const EVERYTHING: Wanted = { warm: scenarios, cold: true }
const COLD = 'cold'

export const edgeCommand = (): Command =>
  new Command('edge')
    .description('what serving costs: the built Worker in workerd beside a route that does nothing, in turn')
    .addOption(new Option('--source <name>', 'whose release is served').choices(sourceNames).default('online-retail'))
    .option(
      '--directory <folder>',
      'where that release lies; a night is run where there is none yet',
      join(DEFAULT_DIRECTORY, 'bench-edge'),
    )
    .option('--rounds <n>', 'how often each is measured; the medians are told', wholeNumber(1, 100), 5)
    .addOption(
      new Option('--scenarios <names>', 'only these, with commas between them; with any but "cold" the floor too')
        .argParser(scenariosNamed)
        .default(EVERYTHING, 'all'),
    )
    .option('--quick', 'few and short rounds, and a smaller catalogue for memory: to see that it works, not what it says')
    .option('--json <file>', 'write rows {scenario, connections, metric, value}')
    .action(benchEdge)

/** @throws InvalidArgumentError */
function scenariosNamed(text: string): Wanted {
  const named = new Set(text.split(',').map((name) => name.trim()))
  const cold = named.delete(COLD)
  for (const name of named)
    if (!scenarios.some((scenario) => scenario === name))
      throw new InvalidArgumentError(`"${name}" is none of ${[...scenarios, COLD].join(', ')}.`)
  return { warm: named.size === 0 ? [] : scenarios.filter((scenario) => scenario === 'floor' || named.has(scenario)), cold }
}

const CONNECTIONS = [1, 4, 16]
const EFFORTS = {
  quick: { quick: true, seconds: 0.5, rounds: 1, shoppers: 100, starts: 1, items: 5_000, requests: 1_000 },
  whole: { quick: false, seconds: 2, rounds: 5, shoppers: 1_000, starts: 3, items: 50_000, requests: 10_000 },
}

async function benchEdge({ source, directory, rounds, scenarios: wanted, quick, json }: EdgeBenchOptions): Promise<void> {
  const effort = { ...(quick ? EFFORTS.quick : { ...EFFORTS.whole, rounds }), wanted }
  const progress = plainProgress((text) => process.stderr.write(text))
  const folder = resolve(directory)
  const manifest = await releaseIn(folder, source)
  // Wrangler and the runtime take seconds to load, which other commands should not wait for.
  const { openBench } = await import('../edge-bench/bench-edge.ts')
  const bench = await openBench()
  try {
    const rows = await measure(bench, folder, manifest, effort, progress.advance)
    print(rows)
    if (json !== undefined) writeFileSync(json, JSON.stringify(rows))
  } finally {
    bench.close()
  }
}

type Effort = (typeof EFFORTS)['quick' | 'whole'] & { wanted: Wanted }

async function measure(
  bench: Bench,
  directory: string,
  manifest: Manifest,
  effort: Effort,
  advance: (done: number, total?: number) => void,
): Promise<Row[]> {
  const { bringShoppers, itemsByPopularity } = await import('../edge-bench/shoppers.ts')
  const { measureWarm } = await import('../edge-bench/warm.ts')
  const { rankMore } = await import('../edge-bench/measured-release.ts')
  const { measureCold, measureMemory, measureUpload } = await import('../edge-bench/cold.ts')
  // A copy: visitors and events of a measurement stay out of the state that was published.
  const persist = join(bench.folder, 'state')
  cpSync(join(stateOf(directory), 'v3'), persist, { recursive: true })
  const edge = await bench.start({ persist })
  const rows: Row[] = []
  let shoppers: Awaited<ReturnType<typeof bringShoppers>>
  try {
    const items = await itemsByPopularity(edge.stores.kv, await rankMore(edge.stores.kv, manifest))
    shoppers = await bringShoppers(edge.url, items, effort.shoppers)
    const warm = { ...effort, scenarios: effort.wanted.warm, connections: CONNECTIONS, shoppers, items, advance }
    if (warm.scenarios.length > 0) rows.push(...(await measureWarm(bench, edge, { ...warm, insist: !effort.quick })))
  } finally {
    await edge.stop()
  }
  if (!effort.wanted.cold) return rows
  rows.push(...(await measureCold(bench, persist, shoppers, effort.starts)))
  rows.push(...(await measureMemory(bench, effort.items, effort.requests)))
  rows.push(...measureUpload(bench))
  return rows
}

/** The release published in a folder, as this code reads releases; where there is none, a night makes it. */
async function releaseIn(directory: string, source: string): Promise<Manifest> {
  const published = async (): Promise<Manifest | null> => {
    const stores = await openStores({ kind: 'local', persist: stateOf(directory) })
    try {
      return (await readChannel(stores.kv))?.stable.manifest ?? null
    } finally {
      await stores.close()
    }
  }
  const fits = (manifest: Manifest | null): manifest is Manifest =>
    manifest?.featureSet === FEATURE_SET && manifest.graph === GRAPH_HASH && manifest.ranker === 'mlp'
  const there = await published()
  if (fits(there)) return there
  await runNight(source, directory)
  const made = await published()
  if (!fits(made)) throw new Error(`the night in ${directory} published no release with a ranker`)
  return made
}

const SHOWN = [
  'rps',
  'p50-ms',
  'p90-ms',
  'ratio-to-floor',
  'cpu-ms',
  'cpu-ms-beyond-floor',
  'cores',
  'kv-ops',
  'object-ops',
  'r2-ops',
  'pack-hit-rate',
]
const round = (value: number): number => Number(value.toPrecision(3))

function print(rows: readonly Row[]): void {
  const figure = (scenario: string, connections: number, metric: string): number | undefined =>
    rows.find((row) => row.scenario === scenario && row.connections === connections && row.metric === metric)?.value
  const lines = scenarios.flatMap((scenario) =>
    CONNECTIONS.map((connections): [string, Record<string, number>] => [
      `${scenario} × ${connections}`,
      Object.fromEntries(
        SHOWN.flatMap((metric) => {
          const value = figure(scenario, connections, metric)
          return value === undefined ? [] : [[metric, round(value)]]
        }),
      ),
    ]),
  )
  const measured = lines.filter(([, figures]) => Object.keys(figures).length > 0)
  if (measured.length > 0) console.table(Object.fromEntries(measured))
  const others = rows.filter(({ metric }) => !SHOWN.includes(metric))
  console.table(Object.fromEntries(others.map(({ scenario, metric, value }) => [`${scenario} ${metric}`, { value: round(value) }])))
}

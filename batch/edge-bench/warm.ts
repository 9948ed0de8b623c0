import { gzipSync } from 'node:zlib'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import type { Bench, BenchEdge } from './bench-edge.ts'
import { median, medians, quantile, type Row } from './rows.ts'
import { cpuMs } from './runtime.ts'
import { requestsOf, type Scenario } from './scenarios.ts'
import { post, type Shopper } from './shoppers.ts'

export type WarmOptions = {
  /** The floor first. */
  scenarios: readonly Scenario[]
  rounds: number
  /** Of each scenario at each number of connections, in each round. */
  seconds: number
  connections: readonly number[]
  shoppers: readonly Shopper[]
  items: readonly string[]
  /** Whether to refuse a run during which the floor moved. */
  insist: boolean
  advance: (done: number, total: number) => void
}

/** The floor may move this much, as a share, between start and end of a run that counts. */
const STEADY = 0.3
const FLOOR_CONNECTIONS = 4

/** The machine was busy with something else: nothing that was measured says anything. */
export class Unsteady extends Error {}

/** Every scenario at every number of connections, in turn, round by round. @throws Unsteady where the floor moved meanwhile */
export async function measureWarm(bench: Bench, edge: BenchEdge, options: WarmOptions): Promise<Row[]> {
  const { scenarios, rounds, seconds, connections, shoppers, items } = options
  const requests = new Map(scenarios.map((scenario) => [scenario, requestsOf(scenario, shoppers, items)]))
  const put = (scenario: Scenario, at: number, length: number) =>
    bench.load.put({ url: edge.url, connections: at, seconds: length, requests: requests.get(scenario) ?? [] })
  const floorNow = async (): Promise<number> => {
    const runs = []
    for (let run = 0; run < 3; run++) {
      const { answers, seconds: took } = await put('floor', FLOOR_CONNECTIONS, seconds)
      runs.push(answers / took)
    }
    return median(runs)
  }
  await warmUp(edge, shoppers)
  // Everything once, uncounted: V8 compiles what is hot, and the packs come.
  for (const scenario of scenarios) await put(scenario, FLOOR_CONNECTIONS, seconds)

  const before = await floorNow()
  const rows: Row[] = []
  let done = 0
  for (let round = 0; round < rounds; round++) {
    for (const at of connections) {
      let floor = { rps: 0, cpu: 0 }
      for (const scenario of scenarios) {
        // What the scenario before has left is collected here: a third of a second that belongs to no answer of this one.
        await put(scenario, at, seconds / 2)
        await edge.reset()
        const cpuBefore = cpuMs(edge.pid)
        const { answers, seconds: took, errors, p50, p90 } = await put(scenario, at, seconds)
        const cpu = (cpuMs(edge.pid) - cpuBefore) / Math.max(1, answers)
        if (errors > 0) throw new Error(`${errors} of ${answers} requests of the scenario ${scenario} failed`)
        const used = await edge.meters()
        const rps = answers / took
        if (scenario === 'floor') floor = { rps, cpu }
        const add = (metric: string, value: number): number => rows.push({ scenario, connections: at, metric, value })
        add('rps', rps)
        add('p50-ms', p50)
        add('p90-ms', p90)
        add('ratio-to-floor', rps / floor.rps)
        add('cpu-ms', cpu)
        add('cpu-ms-beyond-floor', cpu - floor.cpu)
        add('cores', (rps * cpu) / 1000)
        if (used.hits + used.misses > 0) add('pack-hit-rate', used.hits / (used.hits + used.misses))
        options.advance(++done, rounds * connections.length * scenarios.length)
      }
    }
  }
  const after = await floorNow()
  const moved = Math.abs(after - before) / Math.max(after, before)
  if (moved > STEADY && options.insist)
    throw new Unsteady(
      `the floor moved by ${Math.round(100 * moved)} % while this ran (${Math.round(before)} → ${Math.round(after)} answers a second); run it on a quiet machine`,
    )
  rows.push({ scenario: 'floor', connections: FLOOR_CONNECTIONS, metric: 'rps-at-start', value: before })
  rows.push({ scenario: 'floor', connections: FLOOR_CONNECTIONS, metric: 'rps-at-end', value: after })
  return [...medians(rows), ...(await countOperations(edge, requests))]
}

const WARM_WITHIN_MS = 60_000

/** Asks until ONNX answers. @throws when it does not */
export async function warmUp(edge: BenchEdge, shoppers: readonly Shopper[]): Promise<void> {
  const [{ path, body }] = requestsOf('token', shoppers, ['-'])
  for (const until = Date.now() + WARM_WITHIN_MS; Date.now() < until; ) {
    const { rung } = await post<RecommendationAnswer>(edge.url + path, JSON.parse(body ?? '{}'))
    if (rung === 'onnx') return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('no answer came from the rung onnx; is the release’s ranker one?')
}

const SAMPLE = 50

/**
 * One request after the other, so that what is counted is exact: operations per request by kind, and bytes of the answers,
 * as they are and as gzip would send them. Reading channel and overlay anew goes by the clock and not by the request: it is
 * counted apart, and told by the minute.
 */
async function countOperations(
  edge: BenchEdge,
  requests: ReadonlyMap<Scenario, { method: string; path: string; body?: string }[]>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (const [scenario, asked] of requests) {
    const plain: number[] = []
    const gzipped: number[] = []
    const sample = Array.from({ length: SAMPLE }, (_, i) => asked[i % asked.length])
    await edge.reset()
    const start = performance.now()
    for (const { method, path, body } of sample) {
      const answer = await fetch(edge.url + path, { method, ...(body !== undefined && { body }) })
      const bytes = new Uint8Array(await answer.arrayBuffer())
      plain.push(bytes.length)
      gzipped.push(gzipSync(bytes).length)
    }
    const minutes = (performance.now() - start) / 60_000
    const { kv, object, r2, refreshes } = await edge.meters()
    const add = (metric: string, value: number): number => rows.push({ scenario, connections: 1, metric, value })
    add('kv-ops', kv / SAMPLE)
    add('object-ops', object / SAMPLE)
    add('r2-ops', r2 / SAMPLE)
    add('kv-refreshes-per-minute', refreshes / minutes)
    add('bytes', quantile(plain, 0.5))
    add('gzip-bytes', quantile(gzipped, 0.5))
  }
  return rows
}

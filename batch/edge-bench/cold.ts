import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import getPort from 'get-port'
import type { OnnxStart } from '../../scripts/built-edge.ts'
import { CHANNEL_KEY, OVERLAY_KEY, packKey } from '../../shared/release/keys.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { publish } from '../release/publish.ts'
import { readChannel } from '../release/release-store.ts'
import type { Bench, BenchEdge, BenchEdgeOptions } from './bench-edge.ts'
import { madeUpRelease } from './made-up-release.ts'
import { medians, type Row } from './rows.ts'
import { cpuMs, heapOf } from './runtime.ts'
import { requestsOf } from './scenarios.ts'
import { bringShoppers, itemsByPopularity, post, type Shopper } from './shoppers.ts'
import { warmUp } from './warm.ts'

/** Milliseconds by which reads of KV are slowed down: as things are, from near by, and from far away. */
const KV_MS = [0, 30, 150]

/** Of those, what CPU is told for: without waiting, where nothing else can be done meanwhile, and with it. */
const CPU_KV_MS = [0, 30]

/** How busy the machine is must not choose the rung where CPU is what is measured. */
const PATIENT = { ANSWER_WITHIN_MS: '60000' }

const COLD = { scenario: 'cold', connections: 1 }

/**
 * Process start to the first answer, and on to the first that ONNX ranked, beside the same with the stock runtime; each start is a
 * runtime of its own on the published state. CPU counts from the first answer of the floor on, when the process is up.
 */
export async function measureCold(bench: Bench, persist: string, shoppers: readonly Shopper[], starts: number): Promise<Row[]> {
  const rows: Row[] = []
  const add = (metric: string, value: number): number => rows.push({ ...COLD, metric, value })
  const [asked] = requestsOf('token', shoppers, ['-'])
  const ask: Ask = (edge) => post(edge.url + asked.path, JSON.parse(asked.body ?? '{}'))
  for (let start = 0; start < starts; start++) {
    for (const kvMs of KV_MS) {
      const { rung, ms, cpu, rounds, keys, upMs } = await onStarted(bench, { persist }, async (edge, upMs) => ({
        ...(await firstAnswer(edge, ask, kvMs)),
        upMs,
      }))
      const suffix = kvMs === 0 ? '' : `-kv-${kvMs}`
      add(`first-answer-ms${suffix}`, ms)
      add(`first-answer-current-release${suffix}`, rung === 'bundled' || rung === 'previous-release' ? 0 : 1)
      add(`first-answer-ranked${suffix}`, rung === 'reference' || rung === 'onnx' ? 1 : 0)
      add(`kv-rounds${suffix}`, rounds)
      add(`kv-keys${suffix}`, keys)
      if (kvMs > 0) continue
      add('process-start-ms', upMs)
      add('first-answer-cpu-ms', cpu)
    }
    add('kv-simulation-cpu-ms', await onStarted(bench, { persist }, readByItself))
    for (const kvMs of CPU_KV_MS) {
      const measure = (onnx: OnnxStart) =>
        onStarted(bench, { persist, variables: PATIENT, onnx }, async (edge, _, upCpu) => ({
          ...(await firstOnnx(edge, ask, kvMs)),
          upCpu,
        }))
      const [ours, stock] = [await measure('as-deployed'), await measure('stock')]
      const suffix = kvMs === 0 ? '' : `-kv-${kvMs}`
      add(`first-onnx-ms${suffix}`, ours.ms)
      add(`first-onnx-answers${suffix}`, ours.answers)
      add(`first-onnx-cpu-ms${suffix}`, ours.cpu)
      add(`first-onnx-cpu-ms${suffix}-stock`, stock.cpu)
      add(`first-onnx-cpu-ratio-to-stock${suffix}`, ours.cpu / stock.cpu)
      if (kvMs > 0) continue
      add('process-start-cpu-ms', ours.upCpu)
      add('process-start-cpu-ms-stock', stock.upCpu)
      add('onnx-start-cpu-ms', ours.startCpu)
      add('onnx-start-cpu-ratio-to-stock', ours.startCpu / stock.startCpu)
    }
    add(
      'onnx-block-ms',
      await onStarted(bench, { persist, variables: { ...PATIENT, SCORER: 'reference' } }, (edge) => longestBlock(edge, ask)),
    )
  }
  return medians(rows)
}

type Started = { state: string }
type Ask = (edge: BenchEdge) => Promise<RecommendationAnswer>

/**
 * What `measure` finds of a runtime of its own that has answered the floor and nothing else; the simulation of KV, which starts
 * when it is first asked and which no deployed isolate has, is up as well.
 * @param measure is also told how long that took, and how much CPU it took until the floor was answered
 */
async function onStarted<T>(
  bench: Bench,
  options: BenchEdgeOptions,
  measure: (edge: BenchEdge, upMs: number, upCpu: number) => Promise<T>,
): Promise<T> {
  const begun = performance.now()
  const edge = await bench.start(options)
  try {
    await (await fetch(`${edge.url}/bench/floor`)).text()
    const [upMs, upCpu] = [performance.now() - begun, cpuMs(edge.pid)]
    await readKeys(edge, ['nothing is here'])
    return await measure(edge, upMs, upCpu)
  } finally {
    await edge.stop()
  }
}

const readKeys = async (edge: BenchEdge, keys: readonly string[]): Promise<string> =>
  (await fetch(`${edge.url}/bench/read`, { method: 'POST', body: JSON.stringify(keys) })).text()

async function firstAnswer(edge: BenchEdge, ask: Ask, kvMs: number) {
  await edge.reset(kvMs)
  const { ms, cpu, value } = await timed(edge, () => ask(edge))
  const { rounds, keys } = await edge.meters()
  return { rung: value.rung, ms, cpu, rounds, keys }
}

type FirstOnnx = { ms: number; cpu: number; startCpu: number; answers: number }

/**
 * Until an answer that ONNX ranked: the first one, or where it was not up for that, the start of ONNX behind it and a second one.
 * `startCpu` is without the first answer.
 * @throws Error where ONNX did not rank
 */
async function firstOnnx(edge: BenchEdge, ask: Ask, kvMs: number): Promise<FirstOnnx> {
  await edge.reset(kvMs)
  const { ms, cpu, value } = await timed(edge, () => ask(edge))
  if (value.rung === 'onnx') return { ms, cpu, startCpu: 0, answers: 1 }
  const start = await timed(edge, async () => {
    const { state } = (await (await fetch(`${edge.url}/bench/onnx`)).json()) as Started
    const { rung } = await ask(edge)
    if (rung !== 'onnx') throw new Error(`ONNX is ${state}, and the answer came from the rung ${rung}`)
  })
  return { ms: ms + start.ms, cpu: cpu + start.cpu, startCpu: start.cpu, answers: 2 }
}

/** CPU of reading what a first answer reads, and nothing else. */
async function readByItself(edge: BenchEdge): Promise<number> {
  const live = (await readChannel(edge.stores.kv))?.stable.manifest
  if (live === undefined) throw new Error('no release is live')
  const { core, model, lists, neighbours, display } = live
  const keys = [core, model, ...lists, ...neighbours.slice(0, 1), ...display.slice(0, 1)].map(({ hash }) => packKey(hash))
  return (await timed(edge, async () => [await readKeys(edge, [CHANNEL_KEY, OVERLAY_KEY]), await readKeys(edge, keys)])).cpu
}

/** Of an isolate in which nothing but ONNX starts, after a first answer: milliseconds in which it could do nothing else. */
async function longestBlock(edge: BenchEdge, ask: Ask): Promise<number> {
  await ask(edge)
  const { state, longestMs } = (await (await fetch(`${edge.url}/bench/onnx`, { method: 'POST' })).json()) as Started & { longestMs: number }
  if (state !== 'ready') throw new Error(`ONNX is ${state}`)
  return longestMs
}

async function timed<T>({ pid }: BenchEdge, work: () => Promise<T>): Promise<{ value: T; ms: number; cpu: number }> {
  const [cpuBefore, before] = [cpuMs(pid), performance.now()]
  const value = await work()
  return { value, ms: performance.now() - before, cpu: cpuMs(pid) - cpuBefore }
}

const MEGABYTE = 1024 * 1024

/**
 * What an isolate holds with a catalogue of so many items, after a tenth of the requests and after all: V8's heap and
 * buffers as its inspector tells them after a collection, and the memories of WebAssembly.
 */
export async function measureMemory(bench: Bench, items: number, requests: number): Promise<Row[]> {
  const inspectorPort = await getPort()
  const edge = await bench.start({ inspectorPort })
  try {
    const { manifest, packs } = await madeUpRelease(items, 1)
    await publish(edge.stores.kv, edge.stores.blobs, manifest, packs, Date.now())
    const ids = await itemsByPopularity(edge.stores.kv, manifest)
    const shoppers = await bringShoppers(edge.url, ids, 200)
    await warmUp(edge, shoppers)
    const asked = [...requestsOf('token', shoppers, ids), ...requestsOf('similar', shoppers, ids)]
    const megabytes = async (): Promise<number> => {
      const { heap, buffers } = await heapOf(inspectorPort, () => edge.meters())
      return (heap + buffers + (await edge.meters()).wasmBytes) / MEGABYTE
    }
    const rows: Row[] = []
    let sent = 0
    for (const [metric, upTo] of [
      ['memory-early-mb', requests / 10],
      ['memory-mb', requests],
    ] as const) {
      while (sent < upTo) {
        const { answers, errors } = await bench.load.put({ url: edge.url, connections: 4, seconds: 1, requests: asked })
        if (errors > 0 || answers === 0) throw new Error(`${errors} requests failed with ${items} items`)
        sent += answers
      }
      rows.push({ ...COLD, metric, value: await megabytes() })
    }
    return rows
  } finally {
    await edge.stop()
  }
}

/** What is uploaded, as the platform counts it. */
export function measureUpload({ deployed }: Bench): Row[] {
  const bytes = Buffer.concat(deployed.files.map((name) => readFileSync(join(deployed.folder, name))))
  return [{ ...COLD, metric: 'upload-gzip-bytes', value: gzipSync(bytes).length }]
}

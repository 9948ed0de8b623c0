import getPort from 'get-port'
import { CHANNEL_KEY } from '../../shared/release/keys.ts'
import { type Manifest, releaseId } from '../../shared/release/manifest.ts'
import { startProcess } from '../processes.ts'
import type { Packs } from '../release/packs.ts'
import { KEPT_RELEASES, publish } from '../release/publish.ts'
import type { Stores } from '../stores/open-stores.ts'
import type { Bench, BenchEdge } from './bench-edge.ts'
import { madeUpRelease } from './made-up-release.ts'
import { heapOf, residentMb } from './runtime.ts'
import { bringShoppers, historiesOf, itemsByPopularity } from './shoppers.ts'
import type { Shopping, Trace } from './shopping.ts'
import { warmUp } from './warm.ts'

export type LoadOptions = {
  seconds: number
  flipEvery: number
  /** Of the throughput that is measured first. */
  share: number
  /** Seconds for which that is measured. */
  measured: number
  items: number
  shoppers: number
  /** How old an isolate's pointer may be, seconds. A deployment has 60, and would miss every second flip. */
  refresh: number
  /** Whether each release that KV keeps is served once before: then the isolate's cache of packs is as full as it becomes. */
  serveEach: boolean
  /** When memory is looked at first, seconds; the second time is after the end. */
  settled: number
  /** Bytes that each request leaves behind: what shows that a leak is found. */
  leakBytes?: number
  /** What is done to an edition's manifest before it is published: what shows that a mixture is found. */
  spoilt?: (manifest: Manifest, others: readonly Manifest[]) => Manifest
  advance: (done: number, total: number) => unknown
}

/**
 * A release that was published under load; Unix milliseconds. `servedAt`: when the last answer of another one came; null = the
 * release was never served, though there was time.
 */
export type Flip = { release: string; startedAt: number; movedAt: number; endedAt: number; servedAt: number | null; deleted: number }

/** Megabytes. */
export type MemorySample = { heap: number; buffers: number; wasm: number; resident: number }

export type UnderLoad = {
  most: number
  rate: number
  trace: Trace
  flips: Flip[]
  memory: { settled: MemorySample; end: MemorySample }
}

const CONNECTIONS = 16
/** Two more than KV keeps, which are there from the start: each release that is published lets packs of an older one go. */
const EDITIONS = KEPT_RELEASES + 2
/** An isolate that has found a new pointer reads the release within this. */
const SOON_MS = 2000
const MEGABYTE = 1024 * 1024

type Edition = { release: string; manifest: Manifest; packs: Packs }

/** Load at a share of what is possible, while one release after the other is published as a night does. */
export async function measureUnderLoad(bench: Bench, options: LoadOptions): Promise<UnderLoad> {
  const editions = await editionsOf(options)
  const inspectorPort = await getPort()
  const edge = await bench.start({ inspectorPort, variables: { CHANNEL_REFRESH_SECONDS: String(options.refresh) } })
  const { ask, stop } = startProcess<Shopping, Trace>(new URL('shopping.ts', import.meta.url))
  try {
    const { kv, blobs } = edge.stores
    const put = ({ manifest, packs }: Edition): Promise<unknown> => publish(kv, blobs, manifest, packs, Date.now())
    const [first, ...more] = editions.slice(0, KEPT_RELEASES)
    await put(first)
    const items = await itemsByPopularity(kv, first.manifest)
    const shoppers = await bringShoppers(edge.url, items, options.shoppers)
    await warmUp(edge, shoppers)
    const histories = historiesOf(items, options.shoppers)
    await ask({
      arrive: shoppers.map((shopper, i) => ({ ...shopper, own: histories[i] })),
      url: edge.url,
      items,
      editions: new Map(editions.map(({ release }, i) => [release, i + 1])),
    })
    for (const edition of more) {
      await put(edition)
      if (options.serveEach) await ask({ seconds: options.refresh + 1, connections: CONNECTIONS })
    }
    await ask({ seconds: options.measured, connections: CONNECTIONS })
    const closed = await ask({ seconds: options.measured, connections: CONNECTIONS })
    const most = closed.at.length / closed.seconds
    await edge.reset(0, options.leakBytes)

    const rate = options.share * most
    const memory = (): Promise<MemorySample> => memoryOf(edge, inspectorPort)
    const until = performance.now() + 1000 * options.seconds
    const [trace, settled, flips] = await Promise.all([
      ask({ seconds: options.seconds, rate }),
      after(options.settled, memory),
      flipAll(edge, editions, options, until),
    ])
    return { most, rate, trace, flips: served(flips, trace, options), memory: { settled, end: await memory() } }
  } finally {
    stop()
    await edge.stop()
  }
}

async function editionsOf({ items, spoilt }: LoadOptions): Promise<Edition[]> {
  const made: { manifest: Manifest; packs: Packs }[] = []
  for (let edition = 1; edition <= EDITIONS; edition++) made.push(await madeUpRelease(items, edition))
  const manifests = made.map(({ manifest }) => manifest)
  // A manifest that names others' packs needs them to be there.
  const packs: Packs = spoilt === undefined ? new Map() : new Map(made.flatMap((one) => [...one.packs]))
  return Promise.all(
    made.map(async (one) => {
      const manifest = spoilt === undefined ? one.manifest : spoilt(one.manifest, manifests)
      return { release: await releaseId(manifest), manifest, packs: spoilt === undefined ? one.packs : packs }
    }),
  )
}

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)))

async function after<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  await wait(1000 * seconds)
  return work()
}

async function flipAll(
  { stores }: BenchEdge,
  editions: readonly Edition[],
  { seconds, flipEvery, advance }: LoadOptions,
  until: number,
): Promise<Omit<Flip, 'servedAt'>[]> {
  const flips: Omit<Flip, 'servedAt'>[] = []
  let movedAt = 0
  const { kv, blobs } = paced(stores, (key) => {
    if (key === CHANNEL_KEY) movedAt = Date.now()
  })
  const total = Math.floor(seconds / flipEvery)
  const begun = until - 1000 * seconds
  // One that began as the load ends would be seen by nobody.
  for (let i = 1; begun + 1000 * flipEvery * i < until - 500 * flipEvery; i++) {
    await wait(begun + 1000 * flipEvery * i - performance.now())
    const { release, manifest, packs } = editions[(KEPT_RELEASES - 1 + i) % editions.length]
    const startedAt = Date.now()
    const { kvDeletes } = await publish(kv, blobs, manifest, packs, startedAt)
    flips.push({ release, startedAt, movedAt, endedAt: Date.now(), deleted: kvDeletes })
    advance(i, total)
  }
  return flips
}

/** Times as long as a write of a release takes here that nothing more is written. */
const REST = 2

/**
 * The stores, written one value after the other with rests between. Here they are in the process that serves, and on its one
 * thread, which no store of a deployment is: a night at full speed would be measured, and not what it does to serving.
 */
function paced({ kv, blobs }: Stores, written: (key: string) => void): Pick<Stores, 'kv' | 'blobs'> {
  const calmly = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    const result = await work()
    await wait(REST * (performance.now() - start))
    return result
  }
  return {
    kv: {
      ...kv,
      get: (key) => calmly(() => kv.get(key)),
      async put(entries) {
        for (const entry of entries)
          await calmly(async () => {
            await kv.put([entry])
            written(entry.key)
          })
      },
      async delete(keys) {
        for (const key of keys) await calmly(() => kv.delete([key]))
      },
    },
    blobs: { ...blobs, put: (key, bytes) => calmly(() => blobs.put(key, bytes)) },
  }
}

/** When each flip had reached every isolate: what answers said from then on until the next. */
function served(flips: readonly Omit<Flip, 'servedAt'>[], { at, release, releases }: Trace, { refresh }: LoadOptions): Flip[] {
  const end = at[at.length - 1] ?? 0
  return flips.map((flip, i) => {
    const own = releases.indexOf(flip.release)
    const next = flips[i + 1]?.movedAt ?? Number.POSITIVE_INFINITY
    let seen = false
    let servedAt = flip.movedAt
    for (let k = 0; k < at.length; k++) {
      if (at[k] < flip.movedAt || at[k] >= next || release[k] < 0) continue
      if (release[k] === own) seen = true
      else servedAt = Math.max(servedAt, at[k])
    }
    const soonOver = end - flip.movedAt < 1000 * refresh + SOON_MS
    return { ...flip, servedAt: seen ? servedAt : soonOver ? end : null }
  })
}

async function memoryOf(edge: BenchEdge, inspectorPort: number): Promise<MemorySample> {
  const { heap, buffers } = await heapOf(inspectorPort, () => edge.meters())
  const { wasmBytes } = await edge.meters()
  return { heap: heap / MEGABYTE, buffers: buffers / MEGABYTE, wasm: wasmBytes / MEGABYTE, resident: residentMb(edge.pid) }
}

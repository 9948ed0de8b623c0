import type { Manifest } from '../../shared/release/manifest.ts'
import { dollarsFor } from '../cost/bill.ts'
import { type Meter, PRICES } from '../cost/prices.ts'
import type { KvSink } from '../stores/kv-sink.ts'
import { intended, POINTERS } from './publish.ts'
import { droppedKeys, keptValue, packsOf } from './release-store.ts'

/** One thing about a release beside the same of the live one; null = there is none. */
export type Difference = { name: string; live: number | string | null; planned: number | string }

/** What publishing would do, before anything is done. */
export type Plan = {
  release: string
  /** Keys. */
  kvWrites: number
  kvDeletes: number
  r2Writes: number
  /** Bytes: to be written, and held by KV and by the archive when as many nights have passed as each keeps. */
  written: number
  kvBytes: number
  archiveBytes: number
  /** A month of such nights on the paid plan, past what it holds; and the share of what the free plan takes in a day. */
  bill: { meter: Meter; amount: number; dollars: number; freeShare: number }[]
  /** Packs that are the live release's own. */
  reused: number
  packs: number
  differences: Difference[]
}

const NIGHTS = 30

/** KV is read, and nothing is written. @param now Unix milliseconds */
export async function planOf(kv: KvSink, manifest: Manifest, now: number): Promise<Plan> {
  const { release, channel, missing, stays, dropped } = await intended(kv, manifest, now)
  const live = channel?.stable ?? null
  const isLive = live?.release === release
  const sizes = new Map(stays.flatMap((kept) => packBytes(kept.manifest)))
  for (const [hash, bytes] of packBytes(manifest)) sizes.set(hash, bytes)
  const own = packsOf(manifest)
  const total = own.reduce((sum, hash) => sum + (sizes.get(hash) ?? 0), 0)
  const kvWrites = missing.length + (isLive ? 0 : POINTERS)
  const kvDeletes = isLive ? 0 : (await droppedKeys(kv, dropped, stays)).length
  const r2Writes = isLive ? 0 : own.length + 1
  const kvBytes =
    [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) + stays.reduce((sum, kept) => sum + keptValue(kept.manifest, now).length, 0)
  const archiveBytes = NIGHTS * total
  const usage: Partial<Record<Meter, number>> = {
    'kv-writes': NIGHTS * kvWrites,
    'kv-deletes': NIGHTS * kvDeletes,
    'kv-gb': kvBytes / 1e9,
    'r2-writes': NIGHTS * r2Writes,
    'r2-gb': archiveBytes / 1e9,
  }
  const reused = live === null ? 0 : own.filter((hash) => packsOf(live.manifest).includes(hash)).length
  return {
    release,
    kvWrites,
    kvDeletes,
    r2Writes,
    written: missing.reduce((sum, hash) => sum + (sizes.get(hash) ?? 0), 0),
    kvBytes,
    archiveBytes,
    bill: Object.entries(usage).map(([name, amount]) => {
      const meter = name as Meter
      const { free } = PRICES[meter]
      return {
        meter,
        amount,
        dollars: dollarsFor(meter, amount),
        freeShare: amount / (free.per === 'day' ? NIGHTS * free.amount : free.amount),
      }
    }),
    reused,
    packs: own.length,
    differences: differencesOf(live?.manifest ?? null, manifest),
  }
}

const packBytes = ({ core, model, neighbours, display, lists, members }: Manifest): [string, number][] =>
  [core, model, ...neighbours, ...display, ...lists, ...members].map(({ hash, bytes }) => [hash, bytes])

function differencesOf(live: Manifest | null, planned: Manifest): Difference[] {
  const of: [name: string, value: (manifest: Manifest) => number | string | undefined][] = [
    ['items', (manifest) => manifest.items],
    ['deeds', (manifest) => manifest.lineage.events],
    ['visitors', (manifest) => manifest.lineage.visitors],
    ['regions', (manifest) => manifest.lists.reduce((sum, pack) => sum + pack.regions.length, 0)],
    ['cohorts', (manifest) => manifest.metrics.cohorts],
    ['bytes', (manifest) => packBytes(manifest).reduce((sum, [, bytes]) => sum + bytes, 0)],
    ['ranker', (manifest) => manifest.ranker],
    ['served recall@20', (manifest) => manifest.metrics['served.recall@20']],
    ['served ndcg@20', (manifest) => manifest.metrics['served.ndcg@20']],
    ['source', (manifest) => manifest.lineage.source],
    ['newest deed', (manifest) => new Date(1000 * manifest.now).toISOString().slice(0, 16)],
  ]
  return of.flatMap(([name, value]) => {
    const own = value(planned)
    return own === undefined ? [] : [{ name, live: live === null ? null : (value(live) ?? null), planned: own }]
  })
}

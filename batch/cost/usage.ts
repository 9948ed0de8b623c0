import type { Measured, Metric, Scenario } from './measured.ts'
import { type Meter, OBJECT_GB } from './prices.ts'

/** A month of a site. What cannot be measured on one machine, because it depends on the site, is said here. */
export type Workload = {
  recommendations: number
  eventPosts: number
  items: number
  /** Whose object is kept: who said yes and did something within 180 days. */
  visitors: number
  /** Of the recommendations: how many come without a token, and how many are public lists. */
  objectShare: number
  listShare: number
  /** Isolates that are always busy, and how often in a month each begins anew. */
  isolates: number
  restarts: number
  /** How often they look for what is live, of what was measured. */
  looks: number
  /** Share of visitors who are new in a month. */
  newShare: number
  /** Those of the EU among them. */
  shards: number
  /** Wall-clock milliseconds that an object is busy with a request. */
  objectMs: number
  /** Requests that change the catalogue without a night; those that share a second share its writes, and cost less. */
  catalogueChanges: number
  /** Share of a release's packs that change in a night. */
  changedShare: number
}

export const USUAL: Omit<Workload, 'recommendations' | 'eventPosts' | 'items' | 'visitors'> = {
  objectShare: 0.1,
  listShare: 0,
  isolates: 20,
  restarts: 60,
  looks: 1,
  newShare: 0.3,
  shards: 8,
  objectMs: 10,
  catalogueChanges: 0,
  changedShare: 1,
}

/** Where usage comes from, in the order of a request's way. */
export const ORIGINS = ['recommendations', 'events', 'freshness', 'visitors', 'night'] as const
export type Origin = (typeof ORIGINS)[number]
/** A month's usage by meter. */
export type Usage = Partial<Record<Meter, number>>

const DAYS = 30
const HOURS = 24 * DAYS
const GB = 1e9
const CRON_MINUTES = 5
/** As workers/objects/visitor.ts has it: how often an object looks whether its visitor has come back. */
const IDLE_DAYS = 180
/** As batch/release/packs.ts and publish.ts have it: bytes of a pack, releases in KV, and days of the archive. */
const PACK_BYTES = 64 * 1024
const KEPT_RELEASES = 7
const ARCHIVE_DAYS = 30

const METER_OF: Record<Exclude<Metric, 'bytes'>, Meter> = {
  'kv-ops': 'kv-reads',
  'kv-writes': 'kv-writes',
  'object-ops': 'object-requests',
  'rows-read': 'rows-read',
  'rows-written': 'rows-written',
  'r2-ops': 'r2-reads',
  'r2-writes': 'r2-writes',
  'cpu-ms': 'cpu-ms',
}

/** A month's usage, by where it comes from. */
export function usageOf(load: Workload, measured: Measured): Record<Origin, Usage> {
  const times = (scenario: Scenario, count: number): Usage => {
    const usage: Usage = {}
    for (const [metric, meter] of Object.entries(METER_OF)) usage[meter] = count * measured(scenario, metric as Metric)
    usage['object-gb-s'] = ((usage['object-requests'] ?? 0) * load.objectMs * OBJECT_GB) / 1000
    return usage
  }
  const lists = load.listShare * load.recommendations
  const fromObject = load.objectShare * (load.recommendations - lists)
  const fromToken = load.recommendations - lists - fromObject
  const firstEvents = Math.min(load.eventPosts, load.newShare * load.visitors)
  const flushes = Math.min(load.eventPosts, load.shards * 60 * HOURS)
  const crons = (60 / CRON_MINUTES) * HOURS
  const bytes = load.items * measured('item', 'bytes')
  const packs = Math.ceil((load.changedShare * bytes) / PACK_BYTES)
  return {
    recommendations: sum({ requests: load.recommendations }, times('token', fromToken), times('object', fromObject), times('list', lists)),
    events: sum(
      { requests: load.eventPosts },
      times('event', load.eventPosts - firstEvents),
      // Where only the operations were counted, an event that makes an object takes the CPU of any other.
      { ...times('first-event', firstEvents), 'cpu-ms': firstEvents * measured('event', 'cpu-ms') },
      times('flush', flushes),
      times('post-flushed', load.eventPosts),
      { 'r2-gb': (load.eventPosts * measured('post', 'bytes')) / GB },
    ),
    freshness: sum(
      // What is asked for seldom is refreshed no oftener than it is asked for.
      {
        'kv-reads': Math.min(
          load.looks * load.isolates * HOURS * measured('isolate-hour', 'kv-ops'),
          2 * (load.recommendations + load.eventPosts),
        ),
      },
      times('cold', load.isolates * (load.restarts + DAYS)),
      times('cron', crons),
      { requests: load.catalogueChanges },
      times('change', load.catalogueChanges),
      // What trends is written when it has changed.
      { 'kv-writes': crons },
    ),
    visitors: sum(
      { 'object-gb': (load.visitors * measured('visitor', 'bytes')) / GB },
      times('visitor-alarm', (load.visitors * DAYS) / IDLE_DAYS),
    ),
    night: {
      'kv-writes': DAYS * (packs + 2),
      'kv-deletes': DAYS * (packs + 1),
      'kv-lists': DAYS * 3,
      'kv-reads': DAYS * (KEPT_RELEASES + packs / 8),
      'kv-gb': ((1 + load.changedShare * (KEPT_RELEASES - 1)) * bytes) / GB,
      'r2-writes': DAYS * (Math.ceil(bytes / PACK_BYTES) + 1),
      'r2-reads': DAYS * (flushes / DAYS),
      'r2-gb': (ARCHIVE_DAYS * bytes) / GB,
    },
  }
}

export function sum(...usages: readonly Usage[]): Usage {
  const total: Usage = {}
  for (const usage of usages)
    for (const [meter, amount] of Object.entries(usage) as [Meter, number][]) total[meter] = (total[meter] ?? 0) + amount
  return total
}

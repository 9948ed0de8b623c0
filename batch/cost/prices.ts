/** What Cloudflare bills a Nightjar deployment by. */
export const METERS = [
  'requests',
  'cpu-ms',
  'kv-reads',
  'kv-writes',
  'kv-deletes',
  'kv-lists',
  'kv-gb',
  'object-requests',
  'object-gb-s',
  'rows-read',
  'rows-written',
  'object-gb',
  'r2-writes',
  'r2-reads',
  'r2-gb',
] as const
export type Meter = (typeof METERS)[number]

/** The day on which every price below was compared with the page that it names. */
export const CHECKED = '2026-11-27'

/** What the paid plan costs a month before anything is used: https://developers.cloudflare.com/workers/platform/pricing/ */
export const PAID_PLAN = 5

export type Price = {
  name: string
  /** What the free plan takes: by day, at any one time (`total`), or by month; past it, operations fail. */
  free: { amount: number; per: 'day' | 'total' | 'month' }
  /** What the paid plan holds, by month. */
  included: number
  /** Dollars for `unit` more of it. */
  dollars: number
  unit: number
  page: string
}

const WORKERS = 'https://developers.cloudflare.com/workers/platform/pricing/'
const KV = 'https://developers.cloudflare.com/kv/platform/pricing/'
const OBJECTS = 'https://developers.cloudflare.com/durable-objects/platform/pricing/'
const R2 = 'https://developers.cloudflare.com/r2/pricing/'
const MILLION = 1e6

/** The one price table. KV bills a bulk read by key; a row is billed for each alarm that is set, and for each deletion. */
export const PRICES: Record<Meter, Price> = {
  requests: { name: 'requests', free: { amount: 1e5, per: 'day' }, included: 10e6, dollars: 0.3, unit: MILLION, page: WORKERS },
  // The free plan has no sum of CPU, only 10 ms a request: see FREE_CPU_MS.
  'cpu-ms': {
    name: 'CPU, ms',
    free: { amount: Number.POSITIVE_INFINITY, per: 'month' },
    included: 30e6,
    dollars: 0.02,
    unit: MILLION,
    page: WORKERS,
  },
  'kv-reads': { name: 'KV reads', free: { amount: 1e5, per: 'day' }, included: 10e6, dollars: 0.5, unit: MILLION, page: KV },
  'kv-writes': { name: 'KV writes', free: { amount: 1000, per: 'day' }, included: 1e6, dollars: 5, unit: MILLION, page: KV },
  'kv-deletes': { name: 'KV deletes', free: { amount: 1000, per: 'day' }, included: 1e6, dollars: 5, unit: MILLION, page: KV },
  'kv-lists': { name: 'KV lists', free: { amount: 1000, per: 'day' }, included: 1e6, dollars: 5, unit: MILLION, page: KV },
  'kv-gb': { name: 'KV storage, GB', free: { amount: 1, per: 'total' }, included: 1, dollars: 0.5, unit: 1, page: KV },
  'object-requests': {
    name: 'object requests',
    free: { amount: 1e5, per: 'day' },
    included: 1e6,
    dollars: 0.15,
    unit: MILLION,
    page: OBJECTS,
  },
  'object-gb-s': {
    name: 'object duration, GB-s',
    free: { amount: 13_000, per: 'day' },
    included: 4e5,
    dollars: 12.5,
    unit: MILLION,
    page: OBJECTS,
  },
  'rows-read': { name: 'rows read', free: { amount: 5e6, per: 'day' }, included: 25e9, dollars: 0.001, unit: MILLION, page: OBJECTS },
  'rows-written': { name: 'rows written', free: { amount: 1e5, per: 'day' }, included: 50e6, dollars: 1, unit: MILLION, page: OBJECTS },
  'object-gb': { name: 'object storage, GB', free: { amount: 5, per: 'total' }, included: 5, dollars: 0.2, unit: 1, page: OBJECTS },
  'r2-writes': { name: 'R2 class A operations', free: { amount: 1e6, per: 'month' }, included: 1e6, dollars: 4.5, unit: MILLION, page: R2 },
  'r2-reads': {
    name: 'R2 class B operations',
    free: { amount: 10e6, per: 'month' },
    included: 10e6,
    dollars: 0.36,
    unit: MILLION,
    page: R2,
  },
  'r2-gb': { name: 'R2 storage, GB', free: { amount: 10, per: 'total' }, included: 10, dollars: 0.015, unit: 1, page: R2 },
}

/** CPU a request on the free plan: https://developers.cloudflare.com/workers/platform/limits/ */
export const FREE_CPU_MS = 10
/** Of an object, whatever it uses: billed duration is wall-clock time times this. */
export const OBJECT_GB = 0.128

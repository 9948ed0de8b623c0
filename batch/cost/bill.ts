import type { Measured } from './measured.ts'
import { FREE_CPU_MS, METERS, type Meter, PAID_PLAN, PRICES } from './prices.ts'
import { ORIGINS, type Origin, sum, type Usage, usageOf, type Workload } from './usage.ts'

export type Line = {
  meter: Meter
  amount: number
  /** Dollars a month on the paid plan, past what it holds. */
  dollars: number
  /** Where most of it comes from. */
  origin: Origin
  /** Of what the free plan takes; past 1 operations fail. */
  freeShare: number
}

export type Bill = {
  lines: Line[]
  /** With the plan itself. */
  dollars: number
  /** Null without recommendations. */
  perMillion: number | null
  free: FreePlan
  /** What the paid plan holds of this is used up first; past it a price is due, and nothing is refused. */
  paid: { first: Meter; times: number }
  advice: string[]
}

/** What the free plan refuses first, and how often over that limit is used. */
export type FreePlan = { enough: boolean; first: Meter | 'cpu-a-request' | null; times: number; advice: string[] }

const DAYS = 30

/** A month on the paid plan, and what of it the free plan would refuse first. */
export function billOf(load: Workload, measured: Measured): Bill {
  const usage = usageOf(load, measured)
  const total = sum(...ORIGINS.map((origin) => usage[origin]))
  const lines = METERS.map((meter) => lineOf(meter, total[meter] ?? 0, usage))
  const dollars = PAID_PLAN + lines.reduce((all, line) => all + line.dollars, 0)
  const paid = lines.map(({ meter, amount }) => ({ first: meter, times: amount / PRICES[meter].included }))
  return {
    lines,
    dollars,
    perMillion: load.recommendations > 0 ? (1e6 * dollars) / load.recommendations : null,
    free: { ...limitOf(lines, measured), advice: freeAdviceFor(load, measured, limitOf(lines, measured).times) },
    paid: paid.reduce((most, other) => (other.times > most.times ? other : most)),
    advice: adviceFor(load, measured, dollars),
  }
}

function limitOf(lines: readonly Line[], measured: Measured): Omit<FreePlan, 'advice'> {
  const first = lines.reduce((worst, line) => (line.freeShare > worst.freeShare ? line : worst))
  const cpuShare = Math.max(measured('token', 'cpu-ms'), measured('object', 'cpu-ms'), measured('event', 'cpu-ms')) / FREE_CPU_MS
  const times = Math.max(cpuShare, first.freeShare)
  return { enough: times <= 1, first: times > 0 ? (cpuShare > first.freeShare ? 'cpu-a-request' : first.meter) : null, times }
}

/** What so much of a meter costs in a month on the paid plan. */
export function dollarsFor(meter: Meter, amount: number): number {
  const { included, dollars, unit } = PRICES[meter]
  return (dollars * Math.max(0, amount - included)) / unit
}

function lineOf(meter: Meter, amount: number, usage: Record<Origin, Usage>): Line {
  const { free } = PRICES[meter]
  const origin = ORIGINS.reduce((most, other) => ((usage[other][meter] ?? 0) > (usage[most][meter] ?? 0) ? other : most))
  return {
    meter,
    amount,
    dollars: dollarsFor(meter, amount),
    origin,
    freeShare: amount / (free.per === 'day' ? DAYS * free.amount : free.amount),
  }
}

/** Of 12 looks for the overlay and one for the channel a minute, with 2 and 1. */
const SELDOM_LOOKS = 3 / 13

/** What a site may change, and by how much the same month would then be cheaper; what saves under a per cent is not said. */
const CHANGES: { what: string; change: (load: Workload) => Workload }[] = [
  {
    what: 'post events in batches of twice as many (the SDK takes several in one post): half the event posts',
    change: (load) => ({ ...load, eventPosts: load.eventPosts / 2 }),
  },
  {
    what: 'send the memory token with every recommendation, as the SDK does: no object is read',
    change: (load) => ({ ...load, objectShare: 0 }),
  },
  {
    what: 'let isolates look for the overlay every 30 s instead of 5 (FRESH_MS in workers/releases/overlay-reader.ts): what is sold out may be shown 25 s longer',
    change: (load) => ({ ...load, looks: SELDOM_LOOKS * load.looks }),
  },
  {
    what: 'forget visitors after 90 days instead of 180 (IDLE_LIFE_MS): about half the objects',
    change: (load) => ({ ...load, visitors: load.visitors / 2 }),
  },
]

function adviceFor(load: Workload, measured: Measured, dollars: number): string[] {
  return CHANGES.map(({ what, change }) => ({ what, saves: dollars - dollarsOf(change(load), measured) }))
    .filter(({ saves }) => saves >= 0.01 * dollars)
    .sort((a, b) => b.saves - a.saves)
    .map(({ what, saves }) => `saves $${saves.toFixed(2)}: ${what}`)
}

/** A free plan less than half used needs no advice. */
const CLOSE = 0.5

/** What brings the first limit of the free plan a tenth further away. */
function freeAdviceFor(load: Workload, measured: Measured, times: number): string[] {
  if (times <= CLOSE) return []
  return CHANGES.map(({ what, change }) => {
    const usage = usageOf(change(load), measured)
    const total = sum(...Object.values(usage))
    const lines = METERS.map((meter) => lineOf(meter, total[meter] ?? 0, usage))
    return { what, after: limitOf(lines, measured).times }
  })
    .filter(({ after }) => after <= 0.9 * times)
    .sort((a, b) => a.after - b.after)
    .map(({ what, after }) => `then ${Math.round(100 * after)} %: ${what}`)
}

const dollarsOf = (load: Workload, measured: Measured): number => {
  const total = sum(...Object.values(usageOf(load, measured)))
  return METERS.reduce((all, meter) => all + dollarsFor(meter, total[meter] ?? 0), PAID_PLAN)
}

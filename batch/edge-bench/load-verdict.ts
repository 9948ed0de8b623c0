import { quantile, type Row } from './rows.ts'
import type { Findings } from './shopping.ts'
import type { Flip, MemorySample, UnderLoad } from './under-load.ts'

export type Must = { what: string; holds: boolean; told: string[] }

/** The switch itself lasts longer than until the last old answer: packs come, rows are decoded. */
const SETTLE_MS = 1000
/** How much slower answers may be while releases change. */
const MOST_SLOWER = 2
/** What memory may grow by after its first minute, and what garbage collectors leave undecided. */
const GROWTH = 1.1
const RESIDENT_GROWTH = 1.25
const SLACK_MB = 2

/** Flip windows: from the moved pointer until no isolate serves an older release. Publishing: the writes before and the deletes after. */
const PHASES = ['outside', 'publishing', 'flip'] as const
type Phase = (typeof PHASES)[number]

export function rowsOf({ most, rate, trace, flips, memory }: UnderLoad): Row[] {
  const rows: Row[] = []
  const add = (metric: string, value: number): number => rows.push({ scenario: 'load', connections: 16, metric, value })
  add('most-rps', most)
  add('rps', rate)
  add('answers', trace.at.length)
  add('seconds', trace.seconds)
  add('clicks', trace.clicks)
  add('errors', trace.errors.count)
  add('mixed', trace.mixed.count)
  add('fallbacks', trace.fallbacks.count)
  add('flips', flips.length)
  add('flips-served', flips.filter(({ servedAt }) => servedAt !== null).length)
  add(
    'deleted-packs',
    flips.reduce((sum, { deleted }) => sum + deleted, 0),
  )
  add('slowest-flip-ms', Math.max(0, ...flips.map(({ movedAt, servedAt }) => (servedAt ?? movedAt) - movedAt)))
  for (const [phase, ms] of byPhase(trace, flips)) {
    add(`${phase}-answers`, ms.length)
    add(`${phase}-p50-ms`, quantile(ms, 0.5))
    add(`${phase}-p90-ms`, quantile(ms, 0.9))
    add(`${phase}-p99-ms`, quantile(ms, 0.99))
    add(`${phase}-longest-ms`, quantile(ms, 1))
  }
  for (const [when, sample] of Object.entries(memory)) {
    add(`memory-${when}-mb`, total(sample))
    for (const [part, megabytes] of Object.entries(sample)) add(`${part}-${when}-mb`, megabytes)
  }
  return rows
}

/** What must hold, and for what does not, why. */
export function mustsOf(load: UnderLoad): Must[] {
  const { trace, flips, memory } = load
  const p90 = new Map([...byPhase(trace, flips)].map(([phase, ms]) => [phase, quantile(ms, 0.9)]))
  const slower = (p90.get('flip') ?? 0) / (p90.get('outside') ?? 0)
  const unseen = flips.filter(({ servedAt }) => servedAt === null)
  const { settled, end } = memory
  return [
    noneOf('no error', trace.errors),
    noneOf('no answer that mixes two releases', trace.mixed),
    noneOf('no answer from the release before, or from the list deployed with the Worker', trace.fallbacks),
    noneOf('every click brings a token', trace.withoutToken),
    {
      what: 'every release is served before the next comes',
      holds: flips.length > 0 && unseen.length === 0,
      told: unseen.map(({ release }) => `${release} never was`),
    },
    {
      what: `p90 in flip windows at most ${MOST_SLOWER} × outside`,
      holds: slower <= MOST_SLOWER,
      told: [`${slower.toFixed(2)} ×`],
    },
    {
      what: 'isolate memory flat (heap, buffers, WASM)',
      holds: total(end) <= GROWTH * total(settled) + SLACK_MB,
      told: [`${total(settled).toFixed(1)} → ${total(end).toFixed(1)} MB`],
    },
    {
      what: 'process memory flat',
      holds: end.resident <= RESIDENT_GROWTH * settled.resident,
      told: [`${settled.resident.toFixed(0)} → ${end.resident.toFixed(0)} MB`],
    },
  ]
}

const total = ({ heap, buffers, wasm }: MemorySample): number => heap + buffers + wasm

const noneOf = (what: string, { count, first }: Findings): Must => ({
  what,
  holds: count === 0,
  told: count === 0 ? [] : [`${count}`, ...first],
})

function byPhase({ at, ms }: UnderLoad['trace'], flips: readonly Flip[]): Map<Phase, number[]> {
  const phases = new Map<Phase, number[]>(PHASES.map((phase) => [phase, []]))
  for (let i = 0; i < at.length; i++) phases.get(phaseOf(at[i], ms[i], flips))?.push(ms[i])
  return phases
}

/** An answer belongs to a window that any part of its wait lies in. */
function phaseOf(at: number, ms: number, flips: readonly Flip[]): Phase {
  let phase: Phase = 'outside'
  for (const { startedAt, movedAt, endedAt, servedAt } of flips) {
    if (at >= movedAt && at - ms <= (servedAt ?? at) + SETTLE_MS) return 'flip'
    if (at >= startedAt && at - ms <= endedAt) phase = 'publishing'
  }
  return phase
}

import { randomBytes } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { commandOf } from './command.ts'
import { type Contract, contractOf } from './contract.ts'
import { MARKER } from './hostile.ts'
import { type Check, type Finding, judge } from './judge.ts'
import type { Known } from './known.ts'
import type { Api } from './operations.ts'
import { type Attack, attacks, faults, type RequestFault } from './requests.ts'
import { type Request, Wire } from './wire.ts'

/** A request that did what none may, the smallest that was found to do it, and how to send it again. */
export type Failure = { fault: RequestFault; operation: string; finding: Finding; seed: number; path: string; command: string }

/** `survived`: nothing wrong with it; `lost`: owed an answer and got none; `doubled`: got two. */
export type Tally = { tried: number; survived: number; lost: number; doubled: number; errors: number }

export type Campaign = {
  byFault: Record<RequestFault, Tally>
  /** How often each operation answered with each status. */
  statuses: Map<string, Map<number, number>>
  failures: Failure[]
  /** The slowest answer, in milliseconds, and how many were slow once but not when sent again. */
  slowest: number
  slowOnce: number
  /** Answers that came when nothing had been asked. */
  unasked: number
}

export type CampaignOptions = {
  url: string
  api: Api
  known: Known
  seed: number
  requests: number
  lanes?: number
  /** Ids of the operations to attack; all where it is left out. */
  only?: ReadonlySet<string>
  /** `false` takes the first failure as it is. */
  shrink?: boolean
  tick?: (done: number) => void
  /** Told of a failure when it is met. */
  told?: (line: string) => void
}

/** How long a request is made smaller. */
const SHRINK_MS = 20_000
/** A machine that is busy with something else may hold up any answer once, but not the same one each time. */
const TRIES = 4

export const emptyTally = (): Tally => ({ tried: 0, survived: 0, lost: 0, doubled: 0, errors: 0 })

export const newCampaign = (): Campaign => ({
  byFault: Object.fromEntries(faults.map((fault) => [fault, emptyTally()])) as Campaign['byFault'],
  statuses: new Map(),
  failures: [],
  slowest: 0,
  slowOnce: 0,
  unasked: 0,
})

/**
 * Sends so many requests, in lanes beside each other, each drawn by a seed of its own. A lane ends with its first failure, made
 * as small as it gets; the others go on.
 */
export async function attack(campaign: Campaign, options: CampaignOptions): Promise<void> {
  const { requests, seed, lanes = 8 } = options
  const each = Math.ceil(requests / lanes)
  const arbitrary = attacks(options.api, options.known, options.only)
  await Promise.all(Array.from({ length: lanes }, (_, lane) => inLane(campaign, options, arbitrary, seed * 1000 + lane, each)))
}

async function inLane(
  campaign: Campaign,
  options: CampaignOptions,
  arbitrary: fc.Arbitrary<Attack>,
  seed: number,
  runs: number,
): Promise<void> {
  const wire = new Wire(options.url)
  const contract = contractOf(options.api)
  let found: Finding | null = null
  let shrinkUntil = 0
  const property = fc.asyncProperty(arbitrary, async (drawn) => {
    if (found !== null && performance.now() > shrinkUntil) {
      // Whatever is not tried any more counts as one without the fault: the smallest so far is then the answer. There may be
      // many, and the other lanes must get their turn between them.
      await setImmediate()
      return true
    }
    const finding = await tried(contract, campaign, wire, drawn, found === null ? options : null)
    if (finding === null) return true
    if (found === null) {
      shrinkUntil = performance.now() + SHRINK_MS
      options.told?.(`${drawn.operation.id}: ${finding.check}, ${finding.detail.slice(0, 300)}; making it smaller`)
    }
    found = finding
    return false
  })
  try {
    const result = await fc.check(property, { seed, numRuns: runs, endOnFailure: options.shrink === false })
    if (!result.failed || result.counterexample === null || found === null) return
    const [{ fault, operation, request }] = result.counterexample
    const path = result.counterexamplePath ?? ''
    campaign.failures.push({ fault, operation: operation.id, finding: found, seed, path, command: commandOf(request, options.url) })
  } finally {
    campaign.unasked += wire.unasked
    wire.close()
  }
}

/** Sends one, and judges what came. What is sent again to make it smaller is not counted. */
async function tried(
  contract: Contract,
  campaign: Campaign,
  wire: Wire,
  drawn: Attack,
  counting: CampaignOptions | null,
): Promise<Finding | null> {
  let finding: Finding | null = null
  let status: number | undefined
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const marker = `zq${randomBytes(6).toString('hex')}qz`
    const outcome = await wire.send(marked(drawn.request, marker))
    finding = judge(contract, drawn, outcome, marker)
    status = outcome.answers[0]?.status
    if (outcome.answers.length > 0) campaign.slowest = Math.max(campaign.slowest, outcome.ms)
    if (finding?.check !== 'slow' && !(finding?.check === 'no-answer' && outcome.ended === 'silent')) break
    if (attempt === 1) campaign.slowOnce++
  }
  if (counting === null) return finding
  count(campaign, drawn, finding, status)
  counting.tick?.(total(campaign))
  return finding
}

const total = ({ byFault }: Campaign): number => faults.reduce((sum, fault) => sum + byFault[fault].tried, 0)

const COUNTED: Record<Check, 'lost' | 'doubled' | 'errors'> = {
  'no-answer': 'lost',
  'two-answers': 'doubled',
  'server-error': 'errors',
  slow: 'errors',
  echo: 'errors',
  undocumented: 'errors',
  unprotected: 'errors',
}

function count(campaign: Campaign, { fault, operation }: Attack, finding: Finding | null, status: number | undefined): void {
  const tally = campaign.byFault[fault]
  tally.tried++
  if (finding === null) tally.survived++
  else tally[COUNTED[finding.check]]++
  if (status === undefined) return
  const seen = campaign.statuses.get(operation.id) ?? new Map<number, number>()
  campaign.statuses.set(operation.id, seen.set(status, (seen.get(status) ?? 0) + 1))
}

/** The request with a text nobody can guess in the place of the marker, which is as long. */
function marked(request: Request, marker: string): Request {
  const text = (value: string): string => value.replaceAll(MARKER, marker).replaceAll(MARKER.toUpperCase(), marker.toUpperCase())
  return {
    ...request,
    method: text(request.method),
    target: text(request.target),
    version: text(request.version),
    headers: request.headers.map(([name, value]) => [text(name), text(value)]),
    body:
      request.body === null || !request.body.includes(MARKER) ? request.body : Buffer.from(text(request.body.toString('latin1')), 'latin1'),
    framing: request.framing.kind === 'odd' ? { kind: 'odd', lines: request.framing.lines.map(text) } : request.framing,
  }
}

import type { FuzzEdge } from './edge.ts'
import { learn } from './known.ts'
import { allowedGrowth, type Held, heldBy } from './memory.ts'
import { readApi } from './operations.ts'
import { attack, type Campaign, type CampaignOptions, newCampaign, type Tally } from './request-campaign.ts'
import { faults } from './requests.ts'

/** A line of the result, as the harness of faults has it too. */
export type Row = { fault: string } & Tally

export type RequestRun = { rows: Row[]; campaign: Campaign; memory: { first: Held; last: Held; allowed: number }; never: string[] }

/**
 * These write to KV and R2. Locally both are simulated in the same process, by isolates of their own that nobody asks to collect
 * their garbage: what the process holds says nothing of the Worker while they run.
 */
const WRITERS = new Set(['putItems', 'removeItem', 'setAvailability', 'flushEvents'])
/** Of the share that they would have: each of theirs that gets through takes as long as a hundred others. */
const WRITERS_SHARE = 0.25
const ROUNDS = 5

/** `settle` is awaited before memory is looked at. */
export type Watching = Pick<CampaignOptions, 'tick' | 'told'> & { settle?: () => Promise<unknown> }

/**
 * Attacks a running Worker with so many requests, in rounds. What its isolate holds after the first round and after the last is
 * compared; so is what the process holds, over the rounds that do not write to the simulated stores.
 */
export async function runRequests(
  edge: FuzzEdge,
  seed: number,
  requests: number,
  { settle, ...watching }: Watching = {},
): Promise<RequestRun> {
  const api = readApi()
  const campaign = newCampaign()
  const known = await learn(edge.url)
  const ids = api.operations.map(({ id }) => id)
  const readers = new Set(ids.filter((id) => !WRITERS.has(id)))
  const share = Math.round((WRITERS_SHARE * requests * WRITERS.size) / ids.length)
  const round = (i: number, count: number, only: ReadonlySet<string>): Promise<void> =>
    attack(campaign, { url: edge.url, api, known, seed: seed * 10 + i, requests: count, only, ...watching })
  await round(0, share, WRITERS)
  let first: Held | undefined
  for (let i = 1; i <= ROUNDS; i++) {
    await round(i, Math.ceil((requests - share) / ROUNDS), readers)
    if (i === 1) await settle?.()
    first ??= await heldBy(edge)
  }
  await settle?.()
  const last = await heldBy(edge)
  const memory = { first: first ?? last, last, allowed: allowedGrowth(requests) }
  const never = ids.filter((id) => ![...(campaign.statuses.get(id)?.keys() ?? [])].some((status) => status >= 200 && status < 300))
  return { rows: rowsOf(campaign, memory), campaign, memory, never }
}

function rowsOf({ byFault, unasked }: Campaign, { first, last, allowed }: RequestRun['memory']): Row[] {
  const grown = last.heap - first.heap > allowed || last.resident - first.resident > PROCESS_FACTOR * allowed
  return [
    ...faults.map((fault) => ({ fault: `request: ${fault}`, ...byFault[fault] })),
    { fault: 'request: unasked answers', tried: 1, survived: unasked === 0 ? 1 : 0, lost: 0, doubled: unasked, errors: 0 },
    { fault: 'request: memory', tried: 1, survived: grown ? 0 : 1, lost: 0, doubled: 0, errors: grown ? 1 : 0 },
  ]
}

/** A process gives back to the system later than it could, or never. */
const PROCESS_FACTOR = 3

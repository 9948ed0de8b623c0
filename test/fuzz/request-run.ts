import type { FuzzEdge } from './edge.ts'
import { learn } from './known.ts'
import { collectGarbage, grown, type Held, heldBy } from './memory.ts'
import { readApi } from './operations.ts'
import { attack, type Campaign, type CampaignOptions, newCampaign, type Tally } from './request-campaign.ts'
import { faults } from './requests.ts'

/** A line of the result, as the harness of faults has it too. */
export type Row = { fault: string } & Tally

export type RequestRun = { rows: Row[]; campaign: Campaign; memory: Held[]; never: string[] }

/** What is held is looked at so many times. */
/** Seeds of a run lie so far apart. */
const SEED_STEPS = 1000
const LOOKS = 5
/** Before that many requests caches are being filled and code compiled. */
const WARM_UP = 2000
/** After so many requests garbage is collected: the allocator keeps whatever there once was of it. */
const STEP = 4000

/** `settle` is awaited before memory is looked at. */
export type Watching = Pick<CampaignOptions, 'tick' | 'told'> & { settle?: () => Promise<unknown> }

/**
 * Attacks a running Worker with so many requests, in steps, each of them over every operation, and looks at what is held after
 * each fifth, once it is warm.
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
  const memory: Held[] = []
  const steps = LOOKS * Math.ceil(requests / LOOKS / STEP)
  const each = Math.ceil(requests / steps)
  for (let step = 1; step <= steps; step++) {
    await attack(campaign, { url: edge.url, api, known, seed: seed * SEED_STEPS + step, requests: each, ...watching })
    if (step % (steps / LOOKS) === 0 && step * each >= WARM_UP) {
      await settle?.()
      memory.push(await heldBy(edge))
    } else await collectGarbage(edge)
  }
  const ids = api.operations.map(({ id }) => id)
  const never = ids.filter((id) => ![...(campaign.statuses.get(id)?.keys() ?? [])].some((status) => status >= 200 && status < 300))
  return { rows: rowsOf(campaign, memory, requests), campaign, memory, never }
}

function rowsOf({ byFault, unasked }: Campaign, memory: readonly Held[], requests: number): Row[] {
  const [first, last] = [memory.at(0), memory.at(-1)]
  const leaks = first === undefined || last === undefined ? 0 : grown(first, last, requests).length
  return [
    ...faults.map((fault) => ({ fault: `request: ${fault}`, ...byFault[fault] })),
    { fault: 'request: unasked answers', tried: 1, survived: unasked === 0 ? 1 : 0, lost: 0, doubled: unasked, errors: 0 },
    // Of one look nothing can be said.
    ...(memory.length > 1 ? [{ fault: 'request: memory', tried: 2, survived: 2 - leaks, lost: 0, doubled: 0, errors: leaks }] : []),
  ]
}

import type { Dataset } from '../../dataset.ts'
import type { Plan } from './plan.ts'
import { type Asked, type Edge, type MemoryKind, VisitorClient } from './visitor-client.ts'

export type Replayed = {
  /** By query: items of training in the order of the answer. */
  slates: number[][]
  /** By query: milliseconds until the answer was there. */
  ms: Float64Array
  rungs: Record<string, number>
}

export type ReplayOptions = {
  memory: MemoryKind
  /** Seconds by which the edge's time is ahead of the plan's. */
  shift: number
  onAnswer?: (done: number, total: number) => void
}

/** Lives through the plan at the edge, one request after the other. @throws when the edge refuses something */
export async function replay(edge: Edge, plan: Plan, train: Dataset, { memory, shift, onAnswer }: ReplayOptions): Promise<Replayed> {
  const index = new Map(train.items.map(({ id }, item) => [id, item]))
  const clients = new Map<number, VisitorClient>()
  const slates: number[][] = plan.queries.map(() => [])
  const ms = new Float64Array(plan.queries.length)
  const rungs: Record<string, number> = {}
  let done = 0
  for (const { visitor, query, ...deed } of plan.deeds) {
    const at = deed.at + shift
    const client = clients.get(visitor) ?? (await VisitorClient.arrive(edge, memory, plan.visitors[visitor], at, deed.country))
    clients.set(visitor, client)
    await client.act({ ...deed, at })
    if (query === null) continue
    const asked = await client.ask(at, deed.country, deed.item, plan.queries[query].masked.size === 0)
    slates[query] = asked.answer.items.map(({ id }) => index.get(id) ?? -1)
    ms[query] = asked.ms
    rungs[asked.answer.rung] = (rungs[asked.answer.rung] ?? 0) + 1
    onAnswer?.(++done, plan.queries.length)
  }
  return { slates, ms, rungs }
}

const WARM_WITHIN_MS = 60_000

/**
 * Asks as a visitor of nobody's until answers come from the rung that will serve: the first ones of an isolate are the
 * reference scorer's. Clicks another item each time: where there is no candidate, nothing is left for ONNX to rank.
 * @param wanted the rung to wait for @param at Unix seconds @throws when it does not come
 */
export async function warm(edge: Edge, train: Dataset, wanted: string, at: number): Promise<void> {
  const client = await VisitorClient.arrive(edge, 'token', { id: null, imported: false }, at, '')
  const until = Date.now() + WARM_WITHIN_MS
  let last: Asked
  let clicks = 0
  do {
    await client.act({ item: train.items[clicks++ % train.items.length].id, deed: 0, at, country: '' })
    last = await client.ask(at, '', null, false)
    if (last.answer.rung === wanted) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  } while (Date.now() < until)
  throw new Error(`the edge answers from the rung ${last.answer.rung}, not from ${wanted}`)
}

import { since } from '../since.ts'
import { within } from '../within.ts'
import type { Sender } from './crowd.ts'
import type { EventLog } from './event-log.ts'
import { euBucket, inEu } from './place.ts'

type Shards = DurableObjectStub<EventLog>[]

/** A shard that has not committed by then is not waited for. It may still do: what two shards took counts once. */
const PATIENCE_MS = 2000
/** A shard that failed is asked last for so long: an outage of one must not cost every post its patience. */
const AVOIDED_MS = 5_000
/** So many shards are asked for one post, at most. */
const MOST_TRIES = 4

/** When a shard failed in this isolate, Unix milliseconds. */
const failedAt = new Map<string, number>()

/** Every shard of the log, those in the EU among them where the deployment has a bucket there. */
export const eventLogs = (env: Env): Shards => [...shards(env, false), ...(euBucket(env) === null ? [] : shards(env, true))]

/**
 * Appends to a shard; where that one fails or stalls, to another. Whoever is behind one network meets in one shard, which counts
 * them; all else goes to any. What belongs to the EU never leaves it, unless the deployment keeps nothing there.
 * @throws when none takes it
 */
export async function appendEvents(
  env: Env,
  lines: string,
  received: number,
  { sender = null, eu }: { sender?: Sender | null; eu: boolean },
): Promise<void> {
  const stays = eu && euBucket(env) !== null
  const logs = shards(env, stays)
  const first = sender === null ? Math.floor(Math.random() * logs.length) : Number.parseInt(sender.network, 16) % logs.length
  let failure: unknown
  for (const log of inTurn(logs, first)) {
    const id = log.id.toString()
    try {
      await within(PATIENCE_MS, log.append(lines, received, sender, stays))
      failedAt.delete(id)
      return
    } catch (error) {
      failure = error
      failedAt.set(id, Date.now())
    }
  }
  throw failure
}

/** From `first` on, those that failed a moment ago at the end. */
function inTurn(logs: Shards, first: number): Shards {
  const avoided = ({ id }: Shards[number]): number => Number(since(failedAt.get(id.toString()) ?? 0) < AVOIDED_MS)
  return [...logs.slice(first), ...logs.slice(0, first)].sort((a, b) => avoided(a) - avoided(b)).slice(0, MOST_TRIES)
}

/** Named apart as well: a runtime that knows no jurisdictions has one namespace for both. */
function shards(env: Env, eu: boolean): Shards {
  const all = env.EVENT_LOGS as DurableObjectNamespace<EventLog>
  const namespace = eu ? inEu(all) : all
  const name = (shard: number): string => `${env.SITE}:${eu ? 'eu:' : ''}${shard}`
  return Array.from({ length: shardCount(env) }, (_, shard) => namespace.get(namespace.idFromName(name(shard))))
}

const shardCount = (env: Env): number => Math.min(64, Math.max(1, Math.floor(Number(env.EVENT_LOG_SHARDS)) || 1))

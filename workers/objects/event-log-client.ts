import type { Sender } from './crowd.ts'
import type { EventLog } from './event-log.ts'
import { euBucket, inEu } from './place.ts'

type Shards = DurableObjectStub<EventLog>[]

/** Every shard of the log, those in the EU among them where the deployment has a bucket there. */
export const eventLogs = (env: Env): Shards => [...shards(env, false), ...(euBucket(env) === null ? [] : shards(env, true))]

/**
 * Appends to a shard; when that one fails, to another. Whoever is behind one network meets in one shard, which counts them;
 * all else goes to any. What belongs to the EU never leaves it, unless the deployment keeps nothing there.
 * @throws when the second fails too
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
  try {
    await logs[first].append(lines, received, sender, stays)
  } catch {
    await logs[(first + 1) % logs.length].append(lines, received, sender, stays)
  }
}

/** Named apart as well: a runtime that knows no jurisdictions has one namespace for both. */
function shards(env: Env, eu: boolean): Shards {
  const all = env.EVENT_LOGS as DurableObjectNamespace<EventLog>
  const namespace = eu ? inEu(all) : all
  const name = (shard: number): string => `${env.SITE}:${eu ? 'eu:' : ''}${shard}`
  return Array.from({ length: shardCount(env) }, (_, shard) => namespace.get(namespace.idFromName(name(shard))))
}

const shardCount = (env: Env): number => Math.min(64, Math.max(1, Math.floor(Number(env.EVENT_LOG_SHARDS)) || 1))

import type { Sender } from './crowd.ts'
import type { EventLog } from './event-log.ts'

/** Every shard of the log. */
export function eventLogs(env: Env): DurableObjectStub<EventLog>[] {
  const namespace = env.EVENT_LOGS as DurableObjectNamespace<EventLog>
  return Array.from({ length: shardCount(env) }, (_, shard) => namespace.get(namespace.idFromName(`${env.SITE}:${shard}`)))
}

/**
 * Appends to a shard; when that one fails, to another. Whoever is behind one network meets in one shard, which counts them;
 * all else goes to any. @throws when the second fails too
 */
export async function appendEvents(env: Env, lines: string, received: number, sender: Sender | null = null): Promise<void> {
  const logs = eventLogs(env)
  const first = sender === null ? Math.floor(Math.random() * logs.length) : Number.parseInt(sender.network, 16) % logs.length
  try {
    await logs[first].append(lines, received, sender)
  } catch {
    await logs[(first + 1) % logs.length].append(lines, received, sender)
  }
}

const shardCount = (env: Env): number => Math.min(64, Math.max(1, Math.floor(Number(env.EVENT_LOG_SHARDS)) || 1))

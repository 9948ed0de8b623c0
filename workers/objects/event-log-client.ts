import type { EventLog } from './event-log.ts'

/** Every shard of the log. */
export function eventLogs(env: Env): DurableObjectStub<EventLog>[] {
  const namespace = env.EVENT_LOGS as DurableObjectNamespace<EventLog>
  return Array.from({ length: shardCount(env) }, (_, shard) => namespace.get(namespace.idFromName(`${env.SITE}:${shard}`)))
}

/** Appends to a shard picked at random; when that one fails, to another. @throws when the second fails too */
export async function appendEvents(env: Env, lines: string, received: number): Promise<void> {
  const logs = eventLogs(env)
  const first = Math.floor(Math.random() * logs.length)
  try {
    await logs[first].append(lines, received)
  } catch {
    await logs[(first + 1) % logs.length].append(lines, received)
  }
}

const shardCount = (env: Env): number => Math.min(64, Math.max(1, Math.floor(Number(env.EVENT_LOG_SHARDS)) || 1))

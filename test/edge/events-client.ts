import { createExecutionContext, listDurableObjectIds, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { EventRecord, EventsAnswer } from '../../shared/schemas/events.ts'
import type { Problem } from '../../shared/schemas/problem.ts'
import { answer } from '../../workers/app.ts'
import { mintVisitorId } from '../../workers/identity/visitor-id.ts'
import { eventLogs } from '../../workers/objects/event-log-client.ts'

/** Calls the app as the runtime would, with an Env of the test's choice, and waits for what it does behind the answer. */
export async function call(path: string, init: RequestInit<CfProperties> = {}, bindings: Env = env): Promise<Response> {
  const ctx = createExecutionContext()
  const response = await answer(new Request(`https://edge.test${path}`, init), bindings, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

export const post = (path: string, body: unknown, init: RequestInit<CfProperties> = {}, bindings: Env = env): Promise<Response> =>
  call(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), ...init }, bindings)

export const problemOf = async (response: Response): Promise<Problem> => response.json()

let events = 0
export const eventId = (): string => `event-${String(++events).padStart(6, '0')}`
export const click = (item: string, more: object = {}): { id: string; type: string; item: string } => ({
  id: eventId(),
  type: 'click',
  item,
  ...more,
})

/** The body of a consenting visitor's post. */
export const from = (visitor: string, posted: unknown[], more: object = {}): object => ({
  writeKey: env.WRITE_KEY,
  visitor,
  consent: 'granted',
  events: posted,
  ...more,
})

export const postEvents = (body: object, init?: RequestInit<CfProperties>, bindings?: Env): Promise<Response> =>
  post('/v1/events', body, init, bindings)

/** Posts, and expects to be taken. */
export async function accepted(body: object, init?: RequestInit<CfProperties>): Promise<EventsAnswer> {
  const response = await postEvents(body, init)
  if (response.status !== 202) throw new Error(`answered ${response.status}: ${await response.text()}`)
  return response.json()
}

export const mint = (eu = false): Promise<string> => mintVisitorId(env.ID_KEY, eu)
export const bearer = (token: string): { headers: { authorization: string } } => ({ headers: { authorization: `Bearer ${token}` } })

/** Every line of the archive, in the order of its files, as it stands. */
export async function archive(): Promise<{ keys: string[]; lines: EventRecord[] }> {
  const { objects } = await env.EVENTS.list({ prefix: 'events/' })
  const keys = objects.map(({ key }) => key).sort()
  const texts = await Promise.all(keys.map(async (key) => (await env.EVENTS.get(key))?.text() ?? ''))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  return { keys, lines: lines.map((line) => JSON.parse(line) as EventRecord) }
}

/** Writes out every shard and returns what the archive then holds. */
export async function flushed(): Promise<EventRecord[]> {
  await Promise.all(eventLogs(env).map((log) => log.flush()))
  return (await archive()).lines
}

/** How many posts wait in the shards. */
export async function waiting(): Promise<number> {
  const counts = await Promise.all(eventLogs(env).map((log) => log.waiting()))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** How many visitor objects there have been in this file; `reset()` empties them, but does not make them undone. */
export const visitorObjects = async (): Promise<number> => (await listDurableObjectIds(env.VISITORS)).length

/** A namespace whose every object fails. */
export const failingNamespace = <T extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<T>,
): DurableObjectNamespace<T> =>
  new Proxy(namespace, {
    get: (target, property) => {
      if (property === 'jurisdiction') return () => failingNamespace(target)
      if (property === 'get')
        return () =>
          new Proxy(
            {},
            {
              get: () => () => Promise.reject(new Error('the object is broken')),
            },
          )
      const value = Reflect.get(target, property) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

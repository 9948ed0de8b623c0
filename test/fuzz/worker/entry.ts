import { app } from '../../../workers/app.ts'
import worker from '../../../workers/index.ts'
import { namesOf, runCodec } from './mutation-runs.ts'

/*
 * What the fuzzer attacks: `direct` is the Worker as it is deployed, on a socket of its own. `faulty` is the same with faults
 * that no Worker may have, at paths of their own: a check that does not find them finds nothing. `codecs` reads changed bytes
 * with the Worker's own readers, where they run when deployed.
 */

export * from '../../../workers/index.ts'

export const direct = worker satisfies ExportedHandler<Env>

const kept: Uint8Array[] = []
const MARKED = { 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" }
const JSON_TYPE = { 'content-type': 'application/json', ...MARKED }

/** Each fault lives at one operation, so that a run names what it found by where. */
export const faulty = {
  async fetch(request, env, ctx) {
    const { pathname, search } = new URL(request.url)
    if (pathname === '/v1/rank') throw new Error('thrown')
    if (pathname === '/v1/visitors') {
      const answer = await worker.fetch(request, env, ctx)
      return answer.ok ? Response.json({ visitor: JSON.stringify([...request.headers]) }, { status: 201, headers: answer.headers }) : answer
    }
    if (pathname.endsWith('/similar')) {
      const answer = await worker.fetch(request, env, ctx)
      return Response.json({ ...(await answer.json<object>()), more: true }, answer)
    }
    if (pathname === '/v1/latest') return new Response('{}', { headers: { ...JSON_TYPE, 'x-asked': encodeURI(search) } })
    if (pathname === '/v1/events') {
      await scheduler.wait(1500)
      return worker.fetch(request, env, ctx)
    }
    if (pathname === '/v1/visitors/me') return new Response('<p>me', { headers: { ...MARKED, 'content-type': 'text/html' } })
    if (pathname === '/healthz') {
      kept.push(new Uint8Array(50_000))
      return new Response('{}', { headers: JSON_TYPE })
    }
    if (pathname === '/v1/admin/flush') return new Response('broken', { status: 503, headers: MARKED })
    if (pathname === '/v1/items') return Response.json({}, { headers: { 'content-type': 'application/json' } })
    return worker.fetch(request, env, ctx)
  },
} satisfies ExportedHandler<Env>

export const codecs = {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url)
    const name = searchParams.get('name')
    if (name === null) return Response.json(await namesOf(env))
    const [seed, from, to] = ['seed', 'from', 'to'].map((key) => Number(searchParams.get(key)))
    return Response.json(await runCodec(env, name, seed, from, to))
  },
} satisfies ExportedHandler<Env>

/** Whatever it is asked for, by whatever method, it does not answer. */
const outOfReach = (): never =>
  new Proxy(Object.create(null), {
    get: (_, name) => (name === 'get' || name === 'jurisdiction' ? gotten : () => Promise.reject(new Error('out of reach'))),
  }) as never
/** A namespace gives objects at once, a store gives what it has later: what fails is what is asked of either. */
const gotten = (): never => {
  const object = outOfReach() as object
  return new Proxy(object, { get: (_, name) => (name === 'then' ? rejected : Reflect.get(object, name)) }) as never
}
const rejected = (_: unknown, fail: (error: Error) => void): void => fail(new Error('out of reach'))

/** The Worker where neither objects nor KV nor R2 can be reached. */
export const failing = {
  fetch: (request, env, ctx) =>
    worker.fetch(
      request,
      {
        ...env,
        VISITORS: outOfReach(),
        EVENT_LOGS: outOfReach(),
        AUDIT_LOG: outOfReach(),
        LIVE_STATE: outOfReach(),
        RELEASES: outOfReach(),
        EVENTS: outOfReach(),
        EVENTS_EU: outOfReach(),
      },
      ctx,
    ),
} satisfies ExportedHandler<Env>

/** What the Worker listens to, as the document writes it, without what answers browsers that ask first. */
export const routes = {
  fetch: () =>
    Response.json(
      app.routes.filter(({ method }) => method !== 'OPTIONS').map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`),
    ),
} satisfies ExportedHandler<Env>

export default direct

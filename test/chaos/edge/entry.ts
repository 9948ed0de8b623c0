import './breakage.ts'
import './clock.ts'
import './broken-onnx.ts'
import type { Consents } from '../../../shared/schemas/ids.ts'
import worker from '../../../workers/index.ts'
import { EventLog as ServedEventLog } from '../../../workers/objects/event-log.ts'
import { Visitor as ServedVisitor, type Visited } from '../../../workers/objects/visitor.ts'
import type { VisitorItem } from '../../../workers/objects/visitor-state.ts'
import { coldStart, isolate } from '../../../workers/releases/isolate.ts'
import { coldScorer } from '../../../workers/scoring/scorer.ts'
import type { Breakage, Deed } from '../control.ts'
import { breakAs, breakage, drawn, strikes } from './breakage.ts'
import { brokenEnv, forgetKv } from './broken-env.ts'
import { pace, realTime, rewind } from './clock.ts'

/*
 * The Worker as `npm run test:chaos` starts it: all of workers/index.ts, on bindings, objects, a clock and a WebAssembly that
 * can be broken. No deployment has this entry.
 */

/** Every other object; one named here goes before its namesake there. */
export * from '../../../workers/index.ts'

/** Ends the object in the middle of a call: before, while or after what was asked for is done. */
async function evicting<T>(ctx: DurableObjectState, work: () => Promise<T>): Promise<T> {
  const { objects } = breakage
  if (objects?.how !== 'evicted' || !strikes(objects.share)) return work()
  if (drawn() < 0.5) ctx.abort('evicted before')
  const done = work()
  if (drawn() < 0.5) await done
  ctx.abort('evicted after')
  return done
}

/** The log's shards, in the order in which they began. */
const shards: string[] = []
const SHARDS = 4
/** So many posts a shard takes before it may be ended. */
const FIRST_POSTS = 3

/** Half of the shards are safe: where all of them go at once, a post is refused, as it should be. */
function isFragile(id: string): boolean {
  if (!shards.includes(id)) shards.push(id)
  return shards.indexOf(id) < SHARDS / 2
}

/** Alarms at the pace of the broken clock; one that was set at another pace is none, and is set anew. */
function withBrokenAlarms(ctx: DurableObjectState): DurableObjectState {
  let speed = 0
  const setAlarm = (at: number): Promise<void> => {
    speed = breakage.speed
    return ctx.storage.setAlarm(realTime(at))
  }
  const getAlarm = async (): Promise<number | null> => (speed === breakage.speed ? ctx.storage.getAlarm() : null)
  return withMember(ctx, 'storage', withMember(withMember(ctx.storage, 'setAlarm', setAlarm), 'getAlarm', getAlarm))
}

const withMember = <T extends object>(target: T, replacedName: string, value: unknown): T =>
  new Proxy(target, {
    get(of, name) {
      if (name === replacedName) return value
      const member: unknown = Reflect.get(of, name)
      return typeof member === 'function' ? member.bind(of) : member
    },
  })

export class EventLog extends ServedEventLog {
  private taken = 0

  constructor(ctx: DurableObjectState, env: Env) {
    begin(env)
    super(ctx, brokenEnv(env))
    Object.defineProperty(this, 'ctx', { value: withBrokenAlarms(ctx) })
  }

  override append(...parameters: Parameters<ServedEventLog['append']>): Promise<void> {
    const work = (): Promise<void> => super.append(...parameters)
    // A shard that goes with its first post is avoided for as long as this takes, and nothing that it could lose comes to it.
    return this.taken++ >= FIRST_POSTS && isFragile(this.ctx.id.toString()) ? evicting(this.ctx, work) : work()
  }
}

export class Visitor extends ServedVisitor {
  override record(deeds: VisitorItem[], said: Consents, now: number): Promise<Visited> {
    return evicting(this.ctx, () => super.record(deeds, said, now))
  }
}

let begun = false

/** What is broken from the first moment on. */
function begin(env: Env): void {
  if (begun) return
  begun = true
  const { CHAOS } = env as { CHAOS?: string }
  if (CHAOS !== undefined) change(JSON.parse(CHAOS))
}

function change({ cold, idle, later, seed, ...changes }: Partial<Breakage> & Deed & { seed?: number }): void {
  rewind()
  breakAs(changes, seed)
  pace(breakage.speed)
  if (later !== undefined) breakage.clockOff += later
  if (changes.kv !== undefined) forgetKv()
  if (cold) {
    coldStart()
    coldScorer()
  }
  if (idle !== undefined) {
    const { channel, overlay } = isolate
    coldStart()
    Object.assign(isolate, { channel, overlay })
    if (isolate.channel !== null) isolate.channel.at -= idle
    if (isolate.overlay !== null) isolate.overlay.at -= idle
  }
}

const handler = {
  async fetch(request, env, ctx) {
    begin(env)
    if (new URL(request.url).pathname !== '/chaos') return worker.fetch(request, brokenEnv(env), ctx)
    change(await request.json())
    return Response.json({})
  },
  scheduled: (controller, env, ctx) => worker.scheduled(controller, brokenEnv(env), ctx),
} satisfies ExportedHandler<Env>

export default handler
/** The same under a name: reached by a socket of its own, past the local runtime's own Workers for assets and routing. */
export const direct = handler

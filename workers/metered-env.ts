/** What a Worker that is measured has asked of storage since the meters were last set to nought. */
export type Meters = {
  /** Reads of KV, one for each call however many keys it names, and the keys. Without `refreshes`. */
  kv: number
  keys: number
  /** Reads of a key that is read anew by the clock, not by the request: the channel and the overlay, each after its first time. */
  refreshes: number
  /** How often KV was read while no other read was under way: reads that follow one another. */
  rounds: number
  /** Calls of Durable Objects. */
  object: number
  r2: number
}

const none = (): Meters => ({ kv: 0, keys: 0, refreshes: 0, rounds: 0, object: 0, r2: 0 })

export const meters: Meters = none()
/** Milliseconds that every read of KV takes longer than it does here. */
export const slowness = { kvMs: 0 }

export function resetMeters(): void {
  Object.assign(meters, none())
}

const REFRESHED = new Set(['channel', 'overlay'])
const readBefore = new Set<string>()
let reading = 0

const known = new WeakMap<Env, Env>()

/** The same bindings, each call of them counted. */
export function metered(env: Env): Env {
  let counted = known.get(env)
  if (counted === undefined) {
    counted = {
      ...env,
      RELEASES: meteredKv(env.RELEASES),
      EVENTS: meteredBucket(env.EVENTS),
      ...(env.EVENTS_EU !== undefined && { EVENTS_EU: meteredBucket(env.EVENTS_EU) }),
      VISITORS: meteredObjects(env.VISITORS),
      EVENT_LOGS: meteredObjects(env.EVENT_LOGS),
      AUDIT_LOG: meteredObjects(env.AUDIT_LOG),
      LIVE_STATE: meteredObjects(env.LIVE_STATE),
    }
    known.set(env, counted)
  }
  return counted
}

type Around = (call: () => unknown, parameters: readonly unknown[]) => unknown

/** `target`, each of whose methods is called by `around`. */
function withCalls<T extends object>(target: T, around: Around): T {
  return new Proxy(target, {
    get(of, name) {
      const member: unknown = Reflect.get(of, name)
      if (typeof member !== 'function') return member
      return (...parameters: unknown[]) => around(() => Reflect.apply(member, of, parameters), parameters)
    },
  })
}

const meteredBucket = (bucket: R2Bucket): R2Bucket =>
  withCalls(bucket, (call) => {
    meters.r2++
    return call()
  })

const meteredKv = (namespace: KVNamespace): KVNamespace =>
  withCalls(namespace, async (call, [asked]) => {
    const keys: unknown[] = Array.isArray(asked) ? asked : [asked]
    const again = keys.every((key) => typeof key === 'string' && REFRESHED.has(key) && readBefore.has(key))
    for (const key of keys) readBefore.add(String(key))
    if (again) meters.refreshes++
    else {
      meters.kv++
      meters.keys += keys.length
      if (reading === 0) meters.rounds++
    }
    reading++
    try {
      if (slowness.kvMs > 0) await scheduler.wait(slowness.kvMs)
      return await call()
    } finally {
      reading--
    }
  })

/** A namespace whose objects count what they are asked; so do those of a jurisdiction of it. */
function meteredObjects<T extends DurableObjectNamespace>(namespace: T): T {
  return new Proxy(namespace, {
    get(of, name) {
      const member: unknown = Reflect.get(of, name)
      if (typeof member !== 'function') return member
      return (...parameters: unknown[]) => {
        const result: unknown = Reflect.apply(member, of, parameters)
        if (name === 'jurisdiction') return meteredObjects(result as T)
        return name === 'get' ? meteredStub(result as DurableObjectStub) : result
      }
    },
  })
}

const meteredStub = (stub: DurableObjectStub): DurableObjectStub =>
  withCalls(stub, (call) => {
    meters.object++
    return call()
  })

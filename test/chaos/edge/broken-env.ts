import { SLOW_MS } from '../control.ts'
import { breakage, drawn, strikes } from './breakage.ts'

const known = new WeakMap<Env, Env>()

/** The same bindings, broken as `breakage` says at the time of each call. */
export function brokenEnv(env: Env): Env {
  let broken = known.get(env)
  if (broken === undefined) {
    broken = {
      ...env,
      RELEASES: brokenKv(env.RELEASES),
      EVENTS: brokenBucket(env.EVENTS),
      VISITORS: brokenObjects(env.VISITORS, 'Visitor'),
      EVENT_LOGS: brokenObjects(env.EVENT_LOGS, 'EventLog'),
      get ANSWER_WITHIN_MS() {
        return breakage.answerWithin === null ? env.ANSWER_WITHIN_MS : String(breakage.answerWithin)
      },
    }
    known.set(env, broken)
  }
  return broken
}

/** `target` with some of its methods replaced. */
function replaced<T extends object>(target: T, methods: Record<string, (...parameters: never[]) => unknown>): T {
  return new Proxy(target, {
    get(of, name) {
      const other = methods[String(name)]
      if (other !== undefined) return other
      const member: unknown = Reflect.get(of, name)
      return typeof member === 'function' ? member.bind(of) : member
    },
  })
}

type Options = { type: 'text' | 'arrayBuffer'; cacheTtl: number }
type Value = string | ArrayBuffer | null

/** What a place of the network has seen of KV, misses included, and until when (milliseconds) it goes by that. */
const remembered = new Map<string, { value: Value; until: number }>()

export function forgetKv(): void {
  remembered.clear()
}

const brokenKv = (namespace: KVNamespace): KVNamespace =>
  replaced(namespace, {
    async get(key: string, options: Options): Promise<Value> {
      const { kv } = breakage
      const read = (): Promise<Value> => namespace.get(key, options as KVNamespaceGetOptions<'text'>)
      if (kv === null || typeof options !== 'object' || !new RegExp(kv.keys).test(key) || !strikes(kv.share)) return read()
      switch (kv.how) {
        case 'missing':
          return null
        case 'throwing':
          throw new Error('KV GET failed: 503 Service Unavailable')
        case 'slow':
          await scheduler.wait(SLOW_MS)
          return read()
        case 'stale':
        case 'foreign':
          return key in breakage.instead ? givenInstead(breakage.instead[key], options) : read()
        case 'truncated':
          return damaged(await read(), (bytes) => bytes.slice(0, bytes.length >> 1))
        case 'flipped':
          return damaged(await read(), flipped)
        case 'remembers':
          return remembers(key, options, read)
      }
    },
  })

/** As the platform's cache: a get sets how long what is known of its key counts from now on, and that can be that there is nothing. */
async function remembers(key: string, { cacheTtl }: Options, read: () => Promise<Value>): Promise<Value> {
  const before = remembered.get(key)
  const value = before !== undefined && before.until > Date.now() ? before.value : await read()
  remembered.set(key, { value, until: Date.now() + 1000 * cacheTtl })
  return value
}

function givenInstead(base64: string, { type }: Options): Value {
  const bytes = Uint8Array.fromBase64(base64)
  return type === 'text' ? new TextDecoder().decode(bytes) : bytes.buffer
}

type Bytes = Uint8Array<ArrayBuffer>

function damaged(value: Value, damage: (bytes: Bytes) => Bytes): Value {
  if (value === null) return null
  if (typeof value === 'string') return new TextDecoder().decode(damage(Uint8Array.from(new TextEncoder().encode(value))))
  return damage(new Uint8Array(value)).buffer
}

/** One bit in about every 1,500 bytes; never in the head, where anything would notice. */
function flipped(bytes: Bytes): Bytes {
  for (let at = Math.min(1024, bytes.length >> 1); at < bytes.length; at += 1 + Math.floor(3000 * drawn()))
    bytes[at] ^= 1 << Math.floor(8 * drawn())
  return bytes
}

const brokenBucket = (bucket: R2Bucket): R2Bucket =>
  replaced(bucket, {
    async put(...parameters: Parameters<R2Bucket['put']>) {
      if (breakage.r2) throw new Error('put: We encountered an internal error. Please try again. (10001)')
      return bucket.put(...parameters)
    },
  })

/** Shards of the log, in the order in which they were first asked. */
const shards: string[] = []
const SHARDS = 4

/** Of the log's shards a share is down, always the same ones; of visitors' objects each call may fail. */
function hits(className: 'Visitor' | 'EventLog', id: string, share: number): boolean {
  if (className === 'Visitor') return strikes(share)
  if (!shards.includes(id)) shards.push(id)
  return shards.indexOf(id) < share * SHARDS
}

/** As an object's call fails or hangs, seen by its caller. */
async function misbehave(className: 'Visitor' | 'EventLog', id: string): Promise<void> {
  const { objects } = breakage
  if (objects === null || objects.how === 'evicted' || !hits(className, id, objects.share)) return
  if (objects.how === 'throwing') throw new Error('internal error; reference = 0123456789abcdef')
  if (objects.how === 'overloaded')
    throw Object.assign(new Error('Durable Object is overloaded. Too many requests queued.'), { overloaded: true })
  await scheduler.wait(SLOW_MS)
}

/** Objects that fail in their caller's eyes; those that are evicted are within. */
function brokenObjects<T extends DurableObjectNamespace>(namespace: T, className: 'Visitor' | 'EventLog'): T {
  return replaced(namespace, {
    jurisdiction: (name: DurableObjectJurisdiction) => brokenObjects(namespace.jurisdiction(name) as T, className),
    get(id: DurableObjectId) {
      const stub = namespace.get(id)
      return new Proxy(stub, {
        get(of, name) {
          const member: unknown = Reflect.get(of, name)
          if (typeof member !== 'function') return member
          return async (...parameters: unknown[]) => {
            await misbehave(className, id.toString())
            return Reflect.apply(member, of, parameters)
          }
        },
      })
    },
  })
}

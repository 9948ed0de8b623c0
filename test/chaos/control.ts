/** What is broken on purpose in the Worker under test; sent to its `/chaos` route, taken up by test/chaos/edge. */
export type Breakage = {
  /** Reads of KV: how they fail, which share of them, and of which keys (a regular expression). */
  kv: { how: KvFault; share: number; keys: string } | null
  /** For `stale` and `foreign`: by key, the value (base64) that is given instead. */
  instead: Record<string, string>
  /** Every write to R2 fails. */
  r2: boolean
  /** Calls of Durable Objects: how they fail, and which share of them. */
  objects: { how: ObjectFault; share: number } | null
  /** Share of the runs of the ONNX runtime that end so. */
  onnx: { how: 'trap' | 'no-memory'; share: number } | null
  /** How far the clock is off (milliseconds); null: it runs right. */
  clockOff: number
  /** The clock stands still from now on. */
  clockStill: boolean
  /** Alarms come so many times sooner, and the clock runs so many times faster. */
  speed: number
  /** Milliseconds in which an answer must be made, by the broken clock; null: what the deployment has. */
  answerWithin: number | null
  /** Protections that do not hold; only the weakened build listens. */
  without: string[]
}

export type KvFault = 'missing' | 'stale' | 'slow' | 'throwing' | 'truncated' | 'flipped' | 'foreign' | 'remembers'
export type ObjectFault = 'throwing' | 'slow' | 'overloaded' | 'evicted'

export const unbroken: Breakage = {
  kv: null,
  instead: {},
  r2: false,
  objects: null,
  onnx: null,
  clockOff: 0,
  clockStill: false,
  speed: 1,
  answerWithin: null,
  without: [],
}

/** What can be done to the isolate at once. */
export type Deed = {
  /** As if it had just started. */
  cold?: boolean
  /** As if nobody had asked it for so long (milliseconds), and all but its pointer had had to make room. */
  idle?: number
  /** Moves the clock on (milliseconds). */
  later?: number
}

/** So long that no answer is cut short on a busy machine, or by a clock that jumps: for those that must be of what is live. */
export const UNHURRIED_MS = 10 * 60_000

/** How long a slow read or call takes. */
export const SLOW_MS = 5000

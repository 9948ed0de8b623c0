import { Hono } from 'hono'
import worker from './index.ts'
import { metered, meters, resetMeters, slowness } from './metered-env.ts'
import { EventLog as ServedEventLog } from './objects/event-log.ts'
import { isolate } from './releases/isolate.ts'
import { onnxState, warmUp } from './scoring/scorer.ts'
import { wasmBytes } from './wasm-memories.ts'

/*
 * The Worker as `npx nightjar bench edge` starts it: all of index.ts, with meters on its bindings, and beside it the floor that
 * it is measured against. No deployment has this entry.
 */

/** Every other object; one named here goes before its namesake there. */
export * from './index.ts'

/** Its alarm writes the archive: those writes count as well. */
export class EventLog extends ServedEventLog {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, metered(env))
  }
}

/** What a bench that says "memory is flat" must be able to find: so much that each request leaves behind. */
const leak = { bytes: 0, held: [] as Uint8Array[] }

const STEP_MS = 5
const TICK_MS = 1

const LONGEST_MS = 30_000

/** Until ONNX is up or has failed; it has `LONGEST_MS` for that. */
function whileStarting(): () => boolean {
  const until = Date.now() + LONGEST_MS
  return () => (onnxState() === 'idle' || onnxState() === 'starting') && Date.now() < until
}

const control = new Hono<{ Bindings: Env }>()

/** What a hono route costs that does nothing. */
control.get('/bench/floor', (c) => c.json({ status: 'ok' }))

control.get('/bench/meters', (c) => c.json({ ...meters, ...isolate.packs.usage(), wasmBytes: wasmBytes() }))

/** Reads those keys and does nothing with them: what KV costs by itself, which here is simulated in the same process. */
control.post('/bench/read', async (c) => {
  const keys = await c.req.json<string[]>()
  await Promise.all(keys.map((key) => c.env.RELEASES.get(key, 'arrayBuffer')))
  return c.json({})
})

/** Answers when ONNX is up, or has failed; told is whether. */
control.get('/bench/onnx', async (c) => {
  const isUnderWay = whileStarting()
  while (isUnderWay()) await scheduler.wait(STEP_MS)
  return c.json({ state: onnxState() })
})

/**
 * Starts ONNX for the release that is there (the Worker has SCORER = reference, so that nothing else does), and tells how long the
 * isolate could do nothing else at most: a timer of 1 ms beside it shows that, because clocks go on here while code runs.
 */
control.post('/bench/onnx', async (c) => {
  const [release] = isolate.releases.values()
  if (release === undefined || release.weights === null) return c.json({ state: 'no ranker', longestMs: 0 })
  const isUnderWay = whileStarting()
  let longestMs = 0
  let before = performance.now()
  warmUp({ ...c.env, SCORER: 'auto' }, c.executionCtx)
  while (isUnderWay()) {
    await scheduler.wait(TICK_MS)
    const now = performance.now()
    longestMs = Math.max(longestMs, now - before - TICK_MS)
    before = now
  }
  return c.json({ state: onnxState(), longestMs })
})

control.post('/bench/meters', async (c) => {
  const { kvMs, leakBytes } = await c.req.json<{ kvMs: number; leakBytes: number }>()
  slowness.kvMs = kvMs
  leak.bytes = leakBytes
  leak.held.length = 0
  resetMeters()
  isolate.packs.resetUsage()
  return c.json({})
})

const handler = {
  fetch: (request, env, ctx) => {
    if (request.url.includes('/bench/')) return control.fetch(request, env, ctx)
    if (leak.bytes > 0) leak.held.push(new Uint8Array(leak.bytes))
    return worker.fetch(request, metered(env), ctx)
  },
} satisfies ExportedHandler<Env>

export default handler
/** The same under a name: reached by a socket of its own, past the local runtime's own Workers for assets and routing. */
export const direct = handler

import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import type { Background } from '../background.ts'
import { type OnnxSession, startOnnx } from './onnx-session.ts'

export type Scored = { scores: Float32Array; by: 'onnx' | 'reference' }

type State =
  | { name: 'idle' }
  | { name: 'starting' }
  | { name: 'ready'; session: OnnxSession }
  /** Not tried again before `until` (Unix milliseconds). */
  | { name: 'failed'; until: number }

const TRY_AGAIN_MS = 60_000
/** ONNX and the reference must agree this well on the known vector before ONNX is trusted. */
const TOLERANCE = 1e-4

/** How often ONNX let a request down in this isolate; the answer came from the reference scorer then. */
export const counters = { onnxFailures: 0 }

let state: State = { name: 'idle' }
/** The runtime takes one run at a time; who comes meanwhile is served by the reference rather than made to wait for another's request. */
let running = false

/** As if the isolate had just started. */
export function coldScorer(): void {
  state = { name: 'idle' }
  running = false
  counters.onnxFailures = 0
}

/** Scores `count` rows of features; ONNX when its session is up, else the same weights in TypeScript. Never throws. */
export async function score(weights: Weights, features: Float32Array, count: number): Promise<Scored> {
  if (state.name === 'ready' && count > 0 && !running) {
    running = true
    try {
      const scores = await state.session.run(weights, features, count)
      if (scores.length === count && scores.every(Number.isFinite)) return { scores, by: 'onnx' }
      throw new Error('ONNX gave no finite score for every candidate')
    } catch (error) {
      drop(error)
    } finally {
      running = false
    }
  }
  const scores = new Float32Array(count)
  referenceScores(weights, features, count, scores)
  return { scores, by: 'reference' }
}

/**
 * Starts the session behind the answer. Starting blocks the isolate, so it waits until the answer is on its way.
 * Does nothing where SCORER says that the plan's CPU does not allow it.
 */
export function warmUp(env: Env, ctx: Background, weights: Weights): void {
  if (env.SCORER === 'reference' || !(state.name === 'idle' || (state.name === 'failed' && state.until < Date.now()))) return
  state = { name: 'starting' }
  ctx.waitUntil(start(weights))
}

async function start(weights: Weights): Promise<void> {
  try {
    await scheduler.wait(1)
    const session = await startOnnx()
    await check(session, weights)
    state = { name: 'ready', session }
  } catch (error) {
    drop(error)
  }
}

/** One known vector through both: a runtime that computes something else must never rank. */
async function check(session: OnnxSession, weights: Weights): Promise<void> {
  const rows = 3
  const known = Float32Array.from({ length: rows * FEATURE_COUNT }, (_, i) => Math.sin(i))
  const expected = new Float32Array(rows)
  referenceScores(weights, known, rows, expected)
  const scores = await session.run(weights, known, rows)
  if (scores.some((value, i) => !(Math.abs(value - expected[i]) <= TOLERANCE * (1 + Math.abs(expected[i])))))
    throw new Error('ONNX and the reference scorer disagree')
}

function drop(error: unknown): void {
  counters.onnxFailures++
  state = { name: 'failed', until: Date.now() + TRY_AGAIN_MS }
  console.warn(JSON.stringify({ event: 'onnx-dropped', error: error instanceof Error ? error.message : String(error) }))
}

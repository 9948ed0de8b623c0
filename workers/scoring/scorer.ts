import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { since } from '../since.ts'
import { type Artefacts, deployed } from './artefacts.ts'
import { mustAgree, type Session, startOnnx } from './onnx-session.ts'

export type Scored = { scores: Float32Array; by: 'onnx' | 'reference' }

type State =
  | { name: 'idle' }
  | { name: 'starting' }
  | { name: 'ready'; session: Session }
  /** At `at` (Unix milliseconds), and not tried again at once. */
  | { name: 'failed'; at: number }

const TRY_AGAIN_MS = 60_000
/** With the release's own weights, before ONNX ranks by them. */
const TRIED_ROWS = 3

/** In this isolate: how often ONNX was started, and how often it failed; what it let down, the reference scorer answered. */
export const counters = { onnxStarts: 0, onnxFailures: 0 }

let state: State = { name: 'idle' }
let runs = 0

/** Whether ONNX ranks in this isolate, and if not, why not. */
export const onnxState = (): State['name'] => state.name

/** As if the isolate had just started. */
export function coldScorer(): void {
  state = { name: 'idle' }
  counters.onnxStarts = 0
  counters.onnxFailures = 0
}

/** Scores `count` rows of features; ONNX when its session is up, else the same weights in TypeScript. Never throws. */
export function score(weights: Weights, features: Float32Array, count: number): Scored {
  if (state.name === 'ready' && count > 0) {
    try {
      return { scores: trusted(state.session, weights, features, count), by: 'onnx' }
    } catch (error) {
      // Whatever it was, the session's memory may be broken: it is never used again.
      drop(error)
    }
  }
  const scores = new Float32Array(count)
  referenceScores(weights, features, count, scores)
  return { scores, by: 'reference' }
}

/** @throws Error when the run fails, a score is no number, or the one that is checked is not the reference scorer's */
function trusted(session: Session, weights: Weights, features: Float32Array, count: number): Float32Array {
  const scores = session.run(weights, features, count)
  for (let i = 0; i < scores.length; i++) if (!Number.isFinite(scores[i])) throw new Error('ONNX gave no finite score for every candidate')
  // One row of each run, another one each time: a few microseconds, so that a runtime that errs in silence is found out.
  const row = runs++ % count
  if (session.likeReference) mustAgree(weights, features, scores, row, row + 1)
  return scores
}

/**
 * Starts the session behind the answer, and in a new memory each time. Starting takes the isolate's time, so it waits until
 * the answer is on its way. Does nothing where SCORER says that the plan's CPU does not allow it.
 */
export function warmUp(env: Env, ctx: Background, weights: Weights, artefacts: Artefacts = deployed): void {
  if (env.SCORER === 'reference' || !(state.name === 'idle' || (state.name === 'failed' && since(state.at) > TRY_AGAIN_MS))) return
  state = { name: 'starting' }
  ctx.waitUntil(start(weights, artefacts))
}

async function start(weights: Weights, artefacts: Artefacts): Promise<void> {
  counters.onnxStarts++
  try {
    await scheduler.wait(1)
    const session = await startOnnx(artefacts)
    if (session.likeReference) mustAgree(weights, session.tried, session.run(weights, session.tried, TRIED_ROWS))
    state = { name: 'ready', session }
  } catch (error) {
    drop(error)
  }
}

function drop(error: unknown): void {
  counters.onnxFailures++
  state = { name: 'failed', at: Date.now() }
  warn('onnx-dropped', error)
}

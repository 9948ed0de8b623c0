import { decodeSnapshot } from '../../shared/onnx/snapshot.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'
import type { Background } from '../background.ts'
import { warn } from '../log.ts'
import { since } from '../since.ts'
import { type Artefacts, deployed } from './artefacts.ts'
import { mustAgree, type Session, startOnnx } from './onnx-session.ts'

export type Scored = { scores: Float32Array; by: 'onnx' | 'reference' }

/** `agreed` are the weights of its last run. */
type Ready = { name: 'ready'; session: Session; agreed: Weights | null }

type State =
  | { name: 'idle' }
  | { name: 'starting' }
  | Ready
  /** At `at` (Unix milliseconds), and not tried again at once. */
  | { name: 'failed'; at: number }

const TRY_AGAIN_MS = 60_000
/** Of a session's first run with a release's weights so many rows are held to the reference scorer, of every other run one. */
const FIRST_ROWS = 3

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
      return { scores: trusted(state, weights, features, count), by: 'onnx' }
    } catch (error) {
      // Whatever it was, the session's memory may be broken: it is never used again.
      drop(error)
    }
  }
  const scores = new Float32Array(count)
  referenceScores(weights, features, count, scores)
  return { scores, by: 'reference' }
}

/** @throws Error when the run fails, a score is no number, or one that is checked is not the reference scorer's */
function trusted(ready: Ready, weights: Weights, features: Float32Array, count: number): Float32Array {
  const { session, agreed } = ready
  const scores = session.run(weights, features, count)
  for (let i = 0; i < scores.length; i++) if (!Number.isFinite(scores[i])) throw new Error('ONNX gave no finite score for every candidate')
  if (!session.likeReference) return scores
  // One row of each run, another one each time: a few microseconds, so that a runtime that errs in silence is found out.
  const row = weights === agreed ? runs++ % count : 0
  mustAgree(weights, features, scores, row, weights === agreed ? row + 1 : Math.min(count, FIRST_ROWS))
  ready.agreed = weights
  return scores
}

/**
 * Starts the session, in a new memory each time, step by step while the isolate waits for what the answer is made of, or behind the
 * answer. Does nothing where SCORER says that the plan's CPU does not allow it.
 */
export function warmUp(env: Env, ctx: Background, artefacts: Artefacts = deployed): void {
  if (!isToBeStarted(env)) return
  state = { name: 'starting' }
  ctx.waitUntil(start(artefacts))
}

/** Whether `warmUp` would start it. */
export const isToBeStarted = (env: Env): boolean =>
  env.SCORER !== 'reference' && (state.name === 'idle' || (state.name === 'failed' && since(state.at) > TRY_AGAIN_MS))

/** Whether a start lets the isolate do other work now and then; onnxruntime-web as it comes holds it up for hundreds of milliseconds. */
export const startsInSteps = (): boolean => decodeSnapshot(deployed.snapshot).pages > 0

async function start(artefacts: Artefacts): Promise<void> {
  counters.onnxStarts++
  try {
    await scheduler.wait(1)
    state = { name: 'ready', session: await startOnnx(artefacts), agreed: null }
  } catch (error) {
    drop(error)
  }
}

function drop(error: unknown): void {
  counters.onnxFailures++
  state = { name: 'failed', at: Date.now() }
  warn('onnx-dropped', error)
}

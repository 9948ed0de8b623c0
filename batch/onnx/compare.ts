import type { Runtime } from '../../shared/onnx/runtime.ts'
import { type OnnxSession, resumeSession, type Shape } from '../../shared/onnx/session.ts'
import { randomStream } from '../../shared/random.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { caseStream, MOST_ROWS, type Outcome, outcome, refuseGrowth, type Start, sameOutcome, tell } from './exercise.ts'

export type Comparison = { runs: number; errorRuns: number; starts: number; differences: number; firstDifference: string | null }

/** After so many runs the slim runtime begins anew: what a start leaves behind is compared as often as what runs leave. */
const RUNS_A_START = 20_000
/** The stock one more rarely: it waits for messages of threads for ever, and its memory with it. */
const STARTS_A_LIFE = 10
/** One run in so many is one that must fail, in the same words. */
const FAILING = 500
/** One in so many is of more rows than the buffers hold. */
const LARGE = 2_000
const POOL = 1 << 20
const WEIGHT_SETS = 64

type Side = { runtime: Runtime; right: OnnxSession; narrow: OnnxSession }

/**
 * Runs random cases through both runtimes and compares the scores bit for bit, not-a-numbers as equals.
 * @param progress told now and then how many runs there were
 */
export async function compare(
  stock: Start,
  slim: Start,
  { shape, runs, seed, progress }: { shape: Shape; runs: number; seed: number; progress(done: Comparison): void },
): Promise<Comparison> {
  const random = randomStream(seed)
  const done: Comparison = { runs: 0, errorRuns: 0, starts: 0, differences: 0, firstDifference: null }
  const pools = [tamePool(random), wildPool(shape, seed)]
  const weightSets = manyWeights(shape, seed)
  const narrow = { ...shape, features: shape.features - 1 }
  const judge = (
    one: Side,
    other: Side,
    width: 'right' | 'narrow',
    weights: Weights,
    features: Float32Array,
    count: number,
    same: (a: Outcome, b: Outcome) => boolean = sameOutcome,
  ): void => {
    const [a, b] = [one, other].map((side) => outcome(() => side[width].run(weights, features, count)))
    done.runs++
    if (typeof a === 'string') done.errorRuns++
    if (same(a, b)) return
    done.differences++
    done.firstDifference ??= `run ${done.runs} of ${count} rows: ${tell(b)} instead of ${tell(a)}`
  }
  const start = async (from: Start): Promise<Side> => {
    const { runtime, state } = await from()
    return { runtime, right: resumeSession(runtime, state, shape), narrow: resumeSession(runtime, state, narrow) }
  }
  while (done.runs < runs) {
    const one = await start(stock)
    let other = await start(slim)
    done.starts++
    let [weights] = weightSets
    for (let life = 1; life <= STARTS_A_LIFE; life++) {
      // Buffers that have grown are no longer where a narrow session has them: both kinds of run do not mix.
      const last = life === STARTS_A_LIFE
      for (let i = 1; i < RUNS_A_START && done.runs < runs; i++) {
        const failing = !last && i % FAILING === 0
        // The two sessions share the buffers of their weights: a failing run leaves there what it found.
        if (!failing) weights = weightSets[Math.floor(random() * (i % 100 === 0 ? WEIGHT_SETS : 4))]
        const pool = pools[random() < 0.15 ? 1 : 0]
        // Small ones are the quickest, and have every remainder of the kernels' blocks.
        const count = last && i % LARGE === 0 ? 513 + Math.floor(random() * 3000) : 1 + Math.floor(MOST_ROWS * random() ** 10)
        const from = Math.floor(random() * (POOL - count * shape.features))
        judge(one, other, failing ? 'narrow' : 'right', weights, pool.subarray(from, from + count * shape.features), count)
      }
      progress(done)
      if (done.runs >= runs) break
      if (last) continue
      other = await start(slim)
      done.starts++
    }
    for (const { runtime } of [one, other]) refuseGrowth(runtime)
    const rows = 15_000 + Math.floor(random() * 600_000)
    judge(one, other, 'right', weightSets[0], new Float32Array(rows * shape.features), rows, bothFailOrSame)
  }
  return done
}

/** The stock runtime is older by then: where in a run its memory ends, and so the words, may differ. */
const bothFailOrSame = (a: Outcome, b: Outcome): boolean => (typeof a === 'string' && typeof b === 'string') || sameOutcome(a, b)

const tamePool = (random: () => number): Float32Array => Float32Array.from({ length: POOL }, () => 4 * random() - 2)

function wildPool(shape: Shape, seed: number): Float32Array {
  const next = caseStream(shape, seed)
  const pool = new Float32Array(POOL)
  for (let at = 0; at < POOL; ) {
    const { features } = next(MOST_ROWS)
    pool.set(features.subarray(0, POOL - at), at)
    at += features.length
  }
  return pool
}

function manyWeights(shape: Shape, seed: number): Weights[] {
  const next = caseStream(shape, seed + 1)
  return Array.from({ length: 8 * WEIGHT_SETS }, () => next(1).weights)
    .filter((_, i) => i % 8 === 7 || i % 16 === 0)
    .slice(0, WEIGHT_SETS)
}

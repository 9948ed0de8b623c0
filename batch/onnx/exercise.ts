import type { Case } from '../../shared/onnx/known-case.ts'
import type { Runtime } from '../../shared/onnx/runtime.ts'
import { resumeSession, type SessionState, type Shape } from '../../shared/onnx/session.ts'
import { randomStream } from '../../shared/random.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'

/** No request ranks more. */
export const MOST_ROWS = 400
/** Beyond the session's buffers, and beyond the memory that a runtime begins with. */
const LARGE = [513, 1000, 4096, 60_000]
/** Where memory must not grow, there is no room for these: for what the graph makes between, for the features themselves. */
const TOO_LARGE = [20_000, 25_000, 30_000, 35_000, 400_000]

/** What a float can be at its worst. */
const EXTREMES = [0, -0, 1e-45, -1e-40, 1e38, -1e38, 3.4028234e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]

/** Cases of up to `most` rows, each drawn anew; every eighth has numbers at their worst among its features or its weights. */
export function caseStream(shape: Shape, seed: number, most = MOST_ROWS): (rows?: number) => Case {
  const random = randomStream(seed)
  const { features, hidden } = shape
  let drawn = 0
  let weights: Weights | undefined
  const some = (length: number, wild: boolean): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, () => (wild && random() < 0.02 ? EXTREMES[Math.floor(random() * EXTREMES.length)] : 4 * random() - 2))
  return (rows) => {
    const wild = drawn % 8 === 7
    // A release's weights serve many requests.
    if (weights === undefined || drawn % 8 === 0 || wild) {
      const wildWeights = wild && random() < 0.5
      const part = (length: number): Float32Array<ArrayBuffer> => some(length, wildWeights)
      weights = { features, hidden, w0: part(features * hidden), b0: part(hidden), w1: part(hidden), b1: part(1), skip: part(features) }
    }
    drawn++
    // Small ones are the quickest to run and have every remainder of the kernels' blocks.
    const count = rows ?? 1 + Math.floor(most * random() ** 4)
    return { weights, features: some(count * features, wild), count }
  }
}

/** What came of one run: the scores' bytes, or the error's words. */
export type Outcome = Uint8Array | string

export type Start = () => Promise<{ runtime: Runtime; state: SessionState }>

/**
 * Asks sessions for everything that one may be asked for: each number of rows, numbers at their worst, more rows than its
 * buffers and than its memory hold, features of another width, and more than a memory that cannot grow has room for.
 */
export async function exercise(start: Start, shape: Shape): Promise<Outcome[]> {
  return [...(await manyRows(start, shape)), ...(await wrongWidth(start, shape)), ...(await outOfMemory(start, shape))]
}

async function manyRows(start: Start, shape: Shape): Promise<Outcome[]> {
  const { runtime, state } = await start()
  const session = resumeSession(runtime, state, shape)
  const next = caseStream(shape, 1)
  return [...Array.from({ length: MOST_ROWS }, (_, i) => i + 1), ...LARGE, 1, 7].map((rows) => {
    const { weights, features, count } = next(rows)
    return outcome(() => session.run(weights, features, count))
  })
}

async function wrongWidth(start: Start, shape: Shape): Promise<Outcome[]> {
  const { runtime, state } = await start()
  const narrow = resumeSession(runtime, state, { ...shape, features: shape.features - 1 })
  const right = resumeSession(runtime, state, shape)
  const next = caseStream(shape, 2)
  return Array.from({ length: 6 }, () => {
    const { weights, features, count } = next(8)
    return [narrow, right].map((session) => outcome(() => session.run(weights, features, count)))
  }).flat()
}

async function outOfMemory(start: Start, shape: Shape): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const rows of TOO_LARGE) {
    const { runtime, state } = await start()
    const { weights } = caseStream(shape, 3)(1)
    refuseGrowth(runtime)
    outcomes.push(outcome(() => resumeSession(runtime, state, shape).run(weights, new Float32Array(rows * shape.features), rows)))
  }
  return outcomes
}

const ALLOCATIONS = 40_000
/** It takes turns: more is held, then less. */
const TURN = 2_000
const LARGEST_BITS = 20

/**
 * Takes and gives back memory of all sizes in no order, which brings the allocator into states that runs, always the same few sizes,
 * bring about once in thousands.
 */
export async function allocateAtRandom(start: Start): Promise<void> {
  const {
    runtime: { api },
  } = await start()
  const random = randomStream(4)
  const held: number[] = []
  for (let i = 0; i < ALLOCATIONS; i++) {
    const takes = random() < (i % (2 * TURN) < TURN ? 0.6 : 0.4)
    if (takes || held.length === 0) {
      const at = api._malloc(Math.floor(2 ** (LARGEST_BITS * random() ** 2)))
      if (at !== 0) held.push(at)
      continue
    }
    const [given] = held.splice(Math.floor(random() * held.length), 1)
    api._free(given)
  }
}

/** As in an isolate that has no more memory to give. */
export function refuseGrowth({ memory }: Pick<Runtime, 'memory'>): void {
  memory.grow = () => {
    throw new RangeError('no more memory')
  }
}

export function outcome(run: () => Float32Array): Outcome {
  try {
    // Which not-a-number comes of a sum is left to the machine.
    const { buffer } = run().map((score) => (Number.isNaN(score) ? Number.NaN : score))
    return new Uint8Array(buffer)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export const sameOutcome = (a: Outcome, b: Outcome): boolean =>
  typeof a === 'string' || typeof b === 'string' ? a === b : Buffer.compare(a, b) === 0

export const tell = (outcome: Outcome): string => (typeof outcome === 'string' ? `"${outcome}"` : 'scores')

import type { Weights } from '../ranking/reference-scorer.ts'
import type { OnnxApi, Runtime, WasmMemory } from './runtime.ts'

/** A graph's inputs or outputs are not what the ranker gives and takes. */
export class ContractError extends Error {
  override name = 'ContractError'
}

/** Where an open session has what it works with, in the runtime's memory: all that is needed to go on with it. */
export type SessionState = {
  session: number
  /** The weights that the graph takes as inputs, in its order, each with its buffer. */
  weights: { name: WeightName; at: number; length: number }[]
  /** Whether the graph gives its scores as [1, n], and not as [n, 1]. */
  across: boolean
  /** How many rows the buffers of x and y hold. */
  rows: number
  xAt: number
  yAt: number
  /** Two int32: the dimensions of a tensor that is being made. */
  dimsAt: number
  /** Arrays of addresses as OrtRun takes them; x is the first input. */
  inputNamesAt: number
  inputsAt: number
  outputNameAt: number
  outputAt: number
}

export type OnnxSession = {
  /** The scores of `count` rows of features. @throws Error when the runtime fails; it must not be used again then */
  run(weights: Weights, features: Float32Array, count: number): Float32Array
}

type WeightName = 'w0' | 'b0' | 'w1' | 'b1' | 'skip'

/** Columns of x and units of the hidden layer. */
export type Shape = { features: number; hidden: number }

/** More than a request ranks; for more the buffers grow. */
const ROWS = 512
const FLOAT = 1
const ON_CPU = 1
const FATAL = 4
const ALL_OPTIMIZATIONS = 99

/** The shapes in which a graph may take a weight. */
const weightShapes = ({ features, hidden }: Shape): Record<WeightName, number[][]> => ({
  w0: [[features, hidden]],
  b0: [[hidden], [hidden, 1]],
  w1: [[hidden, 1]],
  b1: [[1]],
  skip: [[features, 1]],
})

/**
 * Opens a session on the graph and lays out its buffers.
 * @throws ContractError when the graph takes or gives something else than the ranker's x [n, F], optional weights, and y
 * [n, 1] or [1, n]
 */
export function openSession({ api, memory }: Runtime, graph: Uint8Array, shape: Shape): SessionState {
  // One thread; only what is fatal is logged: an error comes back as a code.
  must(api, memory, api._OrtInit(1, FATAL) === 0, 'the ONNX runtime does not start')
  const options = api._OrtCreateSessionOptions(ALL_OPTIMIZATIONS, true, false, 0, false, 0, 0, FATAL, 0, 0)
  const graphAt = allocate(api, graph.byteLength)
  new Uint8Array(memory.buffer).set(graph, graphAt)
  const session = api._OrtCreateSession(graphAt, graph.byteLength, options)
  must(api, memory, session !== 0, 'the graph cannot be loaded')
  api._free(graphAt)
  api._OrtReleaseSessionOptions(options)

  const { inputs, outputs } = describe(api, memory, session)
  const shapes = weightShapes(shape)
  const x = inputs.find(({ name }) => name === 'x')
  const [y] = outputs
  if (x === undefined || !fits(x, [null, shape.features]))
    throw new ContractError(`the graph must take x as float [n, ${shape.features}]; it takes ${list(inputs)}`)
  const across = outputs.length === 1 && fits(y, [1, null])
  if (outputs.length !== 1 || !(across || fits(y, [null, 1])))
    throw new ContractError(`the graph must give one float [n, 1] or [1, n]; it gives ${list(outputs)}`)
  const others = inputs.filter((input) => input !== x)
  const shapeOf = (input: Tensor): number[] | undefined => shapes[input.name as WeightName]?.find((shape) => fits(input, shape))
  const wrong = others.filter((input) => shapeOf(input) === undefined)
  if (wrong.length > 0)
    throw new ContractError(`beside x the graph may take w0, b0, w1, b1 and skip in the ranker's shapes; it takes ${list(wrong)}`)

  const inputNamesAt = allocate(api, 4 * inputs.length)
  const inputsAt = allocate(api, 4 * inputs.length)
  const outputNameAt = allocate(api, 4)
  const outputAt = allocate(api, 4)
  const dimsAt = allocate(api, 8)
  const words = (): Uint32Array => new Uint32Array(memory.buffer)
  const weights = others.map((input, i) => {
    const name = input.name as WeightName
    const dims = shapeOf(input) ?? []
    const length = dims.reduce((product, dim) => product * dim, 1)
    const at = allocate(api, 4 * length)
    words().set(dims, dimsAt / 4)
    const tensor = api._OrtCreateTensor(FLOAT, at, 4 * length, dimsAt, dims.length, ON_CPU)
    must(api, memory, tensor !== 0, `no tensor for ${name}`)
    words()[inputNamesAt / 4 + 1 + i] = input.nameAt
    words()[inputsAt / 4 + 1 + i] = tensor
    return { name, at, length }
  })
  words()[inputNamesAt / 4] = x.nameAt
  words()[outputNameAt / 4] = y.nameAt
  const xAt = allocate(api, 4 * ROWS * shape.features)
  const yAt = allocate(api, 4 * ROWS)
  return { session, weights, across, rows: ROWS, xAt, yAt, dimsAt, inputNamesAt, inputsAt, outputNameAt, outputAt }
}

/** The session that `opened` tells of, in a runtime that has it in its memory. */
export function resumeSession({ api, memory }: Runtime, opened: SessionState, { features: width }: Shape): OnnxSession {
  const state = { ...opened }
  let floats = new Float32Array(memory.buffer)
  let words = new Uint32Array(memory.buffer)
  let loaded: Weights | null = null

  // A memory that has grown is a new buffer.
  const view = (): void => {
    if (memory.buffer === floats.buffer) return
    floats = new Float32Array(memory.buffer)
    words = new Uint32Array(memory.buffer)
  }
  const tensor = (at: number, rows: number, columns: number): number => {
    words[state.dimsAt / 4] = rows
    words[state.dimsAt / 4 + 1] = columns
    const made = api._OrtCreateTensor(FLOAT, at, 4 * rows * columns, state.dimsAt, 2, ON_CPU)
    must(api, memory, made !== 0, 'no tensor')
    return made
  }
  const grow = (rows: number): void => {
    api._free(state.xAt)
    api._free(state.yAt)
    state.xAt = allocate(api, 4 * rows * width)
    state.yAt = allocate(api, 4 * rows)
    state.rows = rows
  }

  return {
    run(weights, features, count) {
      if (count > state.rows) grow(count)
      view()
      if (loaded !== weights) {
        for (const { name, at, length } of state.weights) {
          if (weights[name].length !== length) throw new Error(`${name} has ${weights[name].length} numbers instead of ${length}`)
          floats.set(weights[name], at / 4)
        }
        loaded = weights
      }
      floats.set(features.subarray(0, count * width), state.xAt / 4)
      const x = tensor(state.xAt, count, width)
      const y = state.across ? tensor(state.yAt, 1, count) : tensor(state.yAt, count, 1)
      words[state.inputsAt / 4] = x
      words[state.outputAt / 4] = y
      const { session, inputNamesAt, inputsAt, outputNameAt, outputAt } = state
      const code = api._OrtRun(session, inputNamesAt, inputsAt, state.weights.length + 1, outputNameAt, 1, outputAt, 0)
      must(api, memory, code === 0, 'the run failed')
      api._OrtReleaseTensor(x)
      api._OrtReleaseTensor(y)
      view()
      return floats.slice(state.yAt / 4, state.yAt / 4 + count)
    },
  }
}

function allocate(api: OnnxApi, bytes: number): number {
  const at = api._malloc(bytes)
  if (at === 0) throw new Error(`the ONNX runtime has no ${bytes} bytes left`)
  return at
}

/** @throws Error with the runtime's own words */
function must(api: OnnxApi, memory: WasmMemory, holds: boolean, otherwise: string): void {
  if (holds) return
  const at = allocate(api, 8)
  api._OrtGetLastError(at, at + 4)
  const message = api.UTF8ToString(new Uint32Array(memory.buffer)[at / 4 + 1])
  throw new Error(`${otherwise}: ${message}`)
}

type Tensor = { name: string; nameAt: number; type: number; dims: (number | null)[] }

function describe(api: OnnxApi, memory: WasmMemory, session: number): { inputs: Tensor[]; outputs: Tensor[] } {
  const at = allocate(api, 8)
  const words = (): Uint32Array => new Uint32Array(memory.buffer)
  must(api, memory, api._OrtGetInputOutputCount(session, at, at + 4) === 0, 'the graph does not tell its inputs')
  const [inputs, outputs] = words().subarray(at / 4)
  const tensors = Array.from({ length: inputs + outputs }, (_, index): Tensor => {
    must(api, memory, api._OrtGetInputOutputMetadata(session, index, at, at + 4) === 0, 'the graph does not tell its inputs')
    const [nameAt, metadata] = words().subarray(at / 4)
    // { type, rank, addresses of the symbolic dimensions' names (0 = a number), the numbers }
    const [type, rank] = words().subarray(metadata / 4)
    const dims = words().slice(metadata / 4 + 2, metadata / 4 + 2 + 2 * rank)
    api._OrtFree(metadata)
    return {
      name: api.UTF8ToString(nameAt),
      nameAt,
      type,
      dims: Array.from({ length: rank }, (_, dim) => (dims[dim] === 0 ? dims[rank + dim] : null)),
    }
  })
  api._free(at)
  return { inputs: tensors.slice(0, inputs), outputs: tensors.slice(inputs) }
}

/** @param wanted null = the number of rows */
const fits = ({ type, dims }: Tensor, wanted: readonly (number | null)[]): boolean =>
  type === FLOAT && dims.length === wanted.length && wanted.every((dim, i) => dims[i] === dim)

const list = (tensors: readonly Tensor[]): string =>
  tensors
    .map(({ name, type, dims }) => `${name} ${type === FLOAT ? 'float' : `type ${type}`} [${dims.map((dim) => dim ?? 'n').join(', ')}]`)
    .join(', ') || 'nothing'

import { knownCase } from '../../shared/onnx/known-case.ts'
import { type Runtime, startRuntime, type WasmExports } from '../../shared/onnx/runtime.ts'
import { type OnnxSession, openSession, resumeSession } from '../../shared/onnx/session.ts'
import { decodeSnapshot, KEY_SECTION, layMemory, poisonMemory, type Snapshot, takeUp } from '../../shared/onnx/snapshot.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { referenceScore, type Weights } from '../../shared/ranking/reference-scorer.ts'
import { contentHash } from '../../shared/release/hash.ts'
import type { Artefacts } from './artefacts.ts'

export type Session = OnnxSession & {
  /** The graph computes what the reference scorer does, which can then vouch for single scores. */
  likeReference: boolean
  /** The runtime's own, of this start alone. */
  memory: Runtime['memory']
}

const HIDDEN = 32
const SHAPE = { features: FEATURE_COUNT, hidden: HIDDEN }

/**
 * Starts ONNX Runtime in a new memory: from the snapshot where the deployment has one, else by making the session here, which
 * blocks the isolate for hundreds of milliseconds. Each step lets the isolate do something else before the next.
 * @throws Error when the artefacts do not belong together, or when the session does not answer the known case as it must
 */
export async function startOnnx(artefacts: Artefacts): Promise<Session> {
  const snapshot = decodeSnapshot(artefacts.snapshot)
  await refuseStrangers(snapshot, artefacts)
  const stock = snapshot.pages === 0
  const runtime = await startRuntime(artefacts.glue, async (imports, memory): Promise<WasmExports> => {
    await otherWork()
    if (stock) return new WebAssembly.Instance(artefacts.runtime, imports as WebAssembly.Imports).exports
    layMemory(snapshot, memory)
    await otherWork()
    poisonMemory(snapshot, memory)
    await otherWork()
    return takeUp(snapshot, new WebAssembly.Instance(artefacts.runtime, imports as WebAssembly.Imports).exports)
  })
  await otherWork()
  const state = stock ? openSession(runtime, new Uint8Array(artefacts.graph), SHAPE) : snapshot.session
  const session = resumeSession(runtime, state, SHAPE)
  await otherWork()
  answerKnownCase(session, snapshot)
  return { ...session, likeReference: snapshot.likeReference, memory: runtime.memory }
}

const otherWork = (): Promise<void> => scheduler.wait(1)

/** A memory that another module, script or graph has left is worse than none. */
async function refuseStrangers({ key, graph, pages }: Snapshot, artefacts: Artefacts): Promise<void> {
  if (key !== artefacts.key) throw new Error('the snapshot was taken with another script')
  if (graph !== (await contentHash(new Uint8Array(artefacts.graph)))) throw new Error('the snapshot was taken of another graph')
  if (pages === 0) return
  const [section] = WebAssembly.Module.customSections(artefacts.runtime, KEY_SECTION)
  if (section === undefined || new TextDecoder().decode(section) !== key) throw new Error('the snapshot was taken of another runtime')
}

/** @throws Error when the scores are not those of the stock runtime, bit for bit, which the build has held to the reference scorer's */
function answerKnownCase(session: OnnxSession, { known }: Snapshot): void {
  const { weights, features, count } = knownCase(SHAPE)
  const scores = session.run(weights, features, count)
  if (scores.some((score, i) => score !== known[i])) throw new Error('the session gives other scores than the stock runtime')
}

/** ONNX and the reference must agree this well before ONNX is trusted. */
const TOLERANCE = 1e-4

/** @param from first of the rows that are compared, `to` the first after them @throws Error when their scores are not the reference scorer's */
export function mustAgree(weights: Weights, features: Float32Array, scores: Float32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) {
    const expected = referenceScore(weights, features, row)
    if (!(Math.abs(scores[row] - expected) <= TOLERANCE * (1 + Math.abs(expected))))
      throw new Error('ONNX and the reference scorer disagree')
  }
}

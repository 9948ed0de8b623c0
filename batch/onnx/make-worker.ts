import type { Shape } from '../../shared/onnx/session.ts'
import type { Snapshot } from '../../shared/onnx/snapshot.ts'
import { doJobs } from '../processes.ts'
import { forgetTheMachine } from './machine.ts'
import type { Made } from './make-runtime.ts'

/** What the process is asked for. */
export type Task = { graph: Uint8Array<ArrayBuffer>; shape: Shape }
/** `refused`: why the graph cannot rank at all; `failed`: why it needs the stock runtime, whose snapshot holds no memory. */
export type Answer = { stock: Snapshot | null; made: Made | null; refused: string | null; failed: string | null }

forgetTheMachine()
doJobs(answer)

async function answer({ graph, shape }: Task): Promise<Answer> {
  // Only now: the runtime's script reads some of what was changed when it is loaded.
  const { makeRuntime, stockSnapshot } = await import('./make-runtime.ts')
  const saidBy = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]
  let stock: Snapshot
  try {
    stock = await stockSnapshot(graph, shape)
  } catch (error) {
    return { stock: null, made: null, refused: saidBy(error), failed: null }
  }
  try {
    return { stock, made: await makeRuntime(graph, shape), refused: null, failed: null }
  } catch (error) {
    return { stock, made: null, refused: null, failed: saidBy(error) }
  }
}

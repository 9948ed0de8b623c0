import type { KernelName, Kernels } from './kernels.ts'

/** A kernel's work in `count` parts, of which a thread takes `step` at a time. */
export type Task = {
  kernel: KernelName
  /** Address of the first thread's scratch memory, and how many bytes each has. */
  scratch: number
  scratchBytes: number
  arguments: readonly number[]
  count: number
  step: number
}

/**
 * Does parts as long as any are left. Each step is a call of its own, so that the engine may swap in optimised code between them.
 * @param next shared with the other threads: the first part that nobody has taken
 * @param until by the clock of `performance`: then it stops, after at least one step
 * @returns whether nothing is left
 */
export function runTask(kernels: Kernels, next: Int32Array, thread: number, task: Task, until = Number.POSITIVE_INFINITY): boolean {
  const kernel = kernels[task.kernel]
  do {
    const from = Atomics.add(next, 0, task.step)
    if (from >= task.count) return true
    kernel(task.scratch + thread * task.scratchBytes, ...task.arguments, from, Math.min(from + task.step, task.count))
  } while (performance.now() < until)
  return false
}

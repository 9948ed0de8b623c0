/**
 * Does parts as long as any are left. Each step is a call of its own, so that the engine may swap in optimised code between them.
 * @param {import('./kernels.ts').Kernels} kernels
 * @param {Int32Array} next shared with the other threads: the first part that nobody has taken
 * @param {number} thread
 * @param {import('./task.ts').Task} task
 * @param {number} until by the clock of `performance`: then it stops, after at least one step
 * @returns {boolean} whether nothing is left
 */
export function runTask(kernels, next, thread, task, until = Number.POSITIVE_INFINITY) {
  const kernel = kernels[task.kernel]
  do {
    const from = Atomics.add(next, 0, task.step)
    if (from >= task.count) return true
    kernel(task.scratch + thread * task.scratchBytes, ...task.arguments, from, Math.min(from + task.step, task.count))
  } while (performance.now() < until)
  return false
}

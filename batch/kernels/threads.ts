import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Arena } from './arena.ts'
import { instantiate, kernelModule } from './kernels.ts'
import { runTask } from './run-task.mjs'
import type { Task, ThreadData } from './task.ts'

/** Resolves when every part is done. Only one task runs at a time. */
export type Run = (task: Task) => Promise<void>

/** Milliseconds after which the caller's own thread sees to signals, and to a thread that ended. */
const LONGEST_TURN = 50

/** About 150 ms; starting a thread takes Node half of that. */
const WORTH_A_THREAD = 5e8

/** @param multiplications about how many there will be, or what takes as long */
export const threadsFor = (multiplications: number): number =>
  Math.max(1, Math.min(availableParallelism(), Math.floor(multiplications / WORTH_A_THREAD)))

/**
 * Threads on the arena's memory, for as long as `use` takes. The first is the caller's own, so that none sits idle while
 * others start up, and short tasks wait for nobody's message.
 * @throws what went wrong in a thread
 */
export async function withThreads<T>(arena: Arena, count: number, use: (run: Run) => Promise<T>): Promise<T> {
  const next = new Int32Array(new SharedArrayBuffer(4))
  const module = kernelModule()
  const kernels = instantiate(module, arena.memory)
  const workers = Array.from({ length: count - 1 }, (_, other) => {
    const workerData: ThreadData = { module, memory: arena.memory, next, thread: 1 + other }
    // Flags of whoever runs us (a test runner) are not for these.
    return new Worker(new URL('worker.mjs', import.meta.url), { workerData, execArgv: [] })
  })
  let gone = false
  const lost = workers.length === 0 ? [] : [Promise.race(workers.map(endOf))]
  // In the end all of them end, and nobody is waiting then.
  for (const one of lost)
    one.catch(() => {
      gone = true
    })
  const ownShare = async (task: Task): Promise<void> => {
    while (!gone && !runTask(kernels, next, 0, task, performance.now() + LONGEST_TURN)) await setImmediate()
  }
  try {
    return await use(async (task) => {
      Atomics.store(next, 0, 0)
      const answers = workers.map((worker) => {
        worker.postMessage(task)
        return once(worker, 'message')
      })
      await Promise.race([Promise.all([...answers, ownShare(task)]), ...lost])
    })
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/** One that is gone answers no more, and says nothing where it was ended from outside. @throws what went wrong in it */
async function endOf(worker: Worker): Promise<never> {
  const [code] = await once(worker, 'exit')
  throw new Error(`a thread of the kernels ended before its work was done (exit code ${code}); run this again`)
}

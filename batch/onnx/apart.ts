import { ProcessEnded, startProcess } from '../processes.ts'

/**
 * V8 frees the wrappers around a module's imports while it compiles them anew, and once in dozens of builds it ends the process over
 * that. Where it never compiles them anew that cannot be; a build then takes half as long again.
 */
const WRAPPERS_LEFT = '--wasm-wrapper-tiering-budget=2147483647'

/**
 * Asks a module in a process of its own, and once more with wrappers left as they are where a signal ends that process.
 * @throws Error when it fails, or ends without an answer all the same
 */
export async function askApart<Task extends object, Answer>(module: URL, task: Task): Promise<Answer> {
  try {
    return await asked(module, task, [])
  } catch (error) {
    if (!(error instanceof ProcessEnded) || error.signal === null) throw error
    return asked(module, task, [WRAPPERS_LEFT])
  }
}

async function asked<Task extends object, Answer>(module: URL, task: Task, execArgv: string[]): Promise<Answer> {
  const { ask, stop } = startProcess<Task, Answer>(module, execArgv)
  try {
    return await ask(task)
  } finally {
    stop()
  }
}

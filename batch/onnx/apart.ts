import { fork } from 'node:child_process'
import { once } from 'node:events'

/**
 * V8 frees the wrappers around a module's imports while it compiles them anew, and once in dozens of builds it ends the process over
 * that. Where it never compiles them anew that cannot be; a build then takes half as long again.
 */
const ATTEMPTS = [[], ['--wasm-wrapper-tiering-budget=2147483647']]

/**
 * Asks a module in a process of its own, and once more with wrappers left as they are where a signal ends that process.
 * @throws Error when it ends without an answer all the same
 */
export async function askApart<Task extends object, Answer>(module: URL, task: Task): Promise<Answer> {
  let end = ''
  for (const execArgv of ATTEMPTS) {
    const child = fork(module, { execArgv, serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const answered = new Promise<Answer>((resolve) => child.once('message', (answer) => resolve(answer as Answer)))
    const ended = once(child, 'close') as Promise<[code: number | null, signal: string | null]>
    child.send(task)
    const first = await Promise.race([answered.then((answer) => ({ answer })), ended.then(([code, signal]) => ({ code, signal }))])
    if ('answer' in first) {
      child.kill()
      return first.answer
    }
    end = `${first.signal ?? `exit code ${first.code}`}\n${said}`
    if (first.signal === null) break
  }
  throw new Error(`${module.pathname} ended with ${end}`)
}

/** The other end: what such a module does with the one task that it gets. */
export function answerOnce<Task, Answer>(work: (task: Task) => Promise<Answer>): void {
  process.on('disconnect', () => process.exit())
  process.once('message', (task: Task) => {
    void work(task).then((answer) => process.send?.(answer as object))
  })
}

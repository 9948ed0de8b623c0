import { fork } from 'node:child_process'

type Told<Answer> = { done: Answer } | { error: string }

/** A process ended before it had answered. */
export class ProcessEnded extends Error {
  override name = 'ProcessEnded'
  readonly signal: string | null

  constructor(module: URL, code: number | null, signal: string | null) {
    super(`${module.pathname} ended with ${signal ?? `exit code ${code}`}`)
    this.signal = signal
  }
}

/** A process that does what it is asked, one job after the other. */
export type Worker<Job, Answer> = { ask(job: Job): Promise<Answer>; stop(): void }

/**
 * Starts a module in a process of its own: what it computes is nobody's time but its own.
 * @param execArgv Node's flags, else those of this process
 */
export function startProcess<Job extends object, Answer>(module: URL, execArgv?: string[]): Worker<Job, Answer> {
  const child = fork(module, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced', ...(execArgv && { execArgv }) })
  return {
    ask: (job) =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null, signal: string | null): void => reject(new ProcessEnded(module, code, signal))
        child.once('exit', ended)
        child.once('message', (told: Told<Answer>) => {
          child.off('exit', ended)
          if ('error' in told) reject(new Error(`${module.pathname} failed: ${told.error}`))
          else resolve(told.done)
        })
        child.send(job)
      }),
    stop: () => child.kill(),
  }
}

/** The other end: what the process that `startProcess` has started does with each job. */
export function doJobs<Job, Answer>(work: (job: Job) => Promise<Answer>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (job: Job) => {
    work(job)
      .then((done) => process.send?.({ done } satisfies Told<Answer>))
      .catch((error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) } satisfies Told<Answer>))
  })
}

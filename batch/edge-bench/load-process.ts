import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Load, Loaded } from './load.ts'

type Told<Answer> = { done: Answer } | { error: string }

/** A process that does what it is asked, one job after the other. */
export type Worker<Job, Answer> = { ask(job: Job): Promise<Answer>; stop(): void }

/** Starts a module of this folder in a process of its own: what it computes is nobody's time but its own. */
export function startProcess<Job extends object, Answer>(module: string): Worker<Job, Answer> {
  const child = fork(join(import.meta.dirname, module), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
  return {
    ask: (job) =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null): void => reject(new Error(`the load generator ended with exit code ${code}`))
        child.once('exit', ended)
        child.once('message', (told: Told<Answer>) => {
          child.off('exit', ended)
          if ('error' in told) reject(new Error(`the load generator failed: ${told.error}`))
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

export type LoadProcess = { put(load: Load): Promise<Loaded>; stop(): void }

export function startLoadProcess(): LoadProcess {
  const { ask, stop } = startProcess<Load, Loaded>('load.ts')
  return { put: ask, stop }
}

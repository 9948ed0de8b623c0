import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Load, Loaded } from './load.ts'

export type LoadProcess = { put(load: Load): Promise<Loaded>; stop(): void }

type Told = { loaded: Loaded } | { error: string }

/** The load generator in a process of its own: what it computes is nobody's time but its own. */
export function startLoadProcess(): LoadProcess {
  const child = fork(join(import.meta.dirname, 'load.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced' })
  return {
    put: (load) =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null): void => reject(new Error(`the load generator ended with exit code ${code}`))
        child.once('exit', ended)
        child.once('message', (told: Told) => {
          child.off('exit', ended)
          if ('error' in told) reject(new Error(`the load generator failed: ${told.error}`))
          else resolve(told.loaded)
        })
        child.send(load)
      }),
    stop: () => child.kill(),
  }
}

import { randomBytes } from 'node:crypto'
import type { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { type BuiltEdge, type BuiltWorker, startWorker } from '../../scripts/built-edge.ts'
import type { Breakage, Deed } from './control.ts'

export const WRITE_KEY = 'chaos'

/** The same for every edge of a run: what one has sealed the next one opens. */
const SECRETS = {
  ID_KEY: 'chaos',
  IDENTITY_KEY: randomBytes(16).toString('hex'),
  ADMIN_KEY: randomBytes(16).toString('hex'),
  TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  WRITE_KEY,
}
export const ADMIN = { authorization: `Bearer ${SECRETS.ADMIN_KEY}` }
export const ADMIN_KEY = SECRETS.ADMIN_KEY

export type ChaosEdge = BuiltEdge & {
  breakAs(changes: Partial<Breakage> & Deed & { seed?: number }): Promise<void>
  /** Ends the runtime as a crash does. */
  kill(): Promise<void>
}

export type ChaosEdgeOptions = {
  persist: string
  /** Of the Worker's own socket: the same after a kill. */
  port: number
  /** The folder of its static assets. */
  site: string
  output: Writable
  breakage?: Partial<Breakage>
  variables?: Record<string, string>
}

/** The Worker that can be broken, in a workerd of its own. */
export async function startChaosEdge(
  worker: BuiltWorker,
  { persist, port, site, output, breakage, variables = {} }: ChaosEdgeOptions,
): Promise<ChaosEdge> {
  const edge = await startWorker(
    worker,
    { ...SECRETS, CHANNEL_REFRESH_SECONDS: '1', ...(breakage && { CHAOS: JSON.stringify(breakage) }), ...variables },
    { persist, site, output, directPort: port, explorer: true, entrypoint: 'direct' },
  )
  const url = edge.url.replace(/\/$/, '')
  return {
    ...edge,
    url,
    async breakAs(changes) {
      const answer = await fetch(`${url}/chaos`, { method: 'POST', body: JSON.stringify(changes) })
      if (!answer.ok) throw new Error(`the edge was not broken: ${answer.status} ${await answer.text()}`)
    },
    async kill() {
      process.kill(edge.pid, 'SIGKILL')
      while (isRunning(edge.pid)) await setTimeout(5)
      await edge.stop()
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

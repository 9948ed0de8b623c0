import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A local edge that is up, as `npm start` and `npm run dev` record it; the process is the one that has the state open. */
export type DevServer = { url: string; pid: number }

/** By then a server that was recorded when it began to start answers, or never will. */
const STARTED_AFTER_MS = 60_000

const fileIn = (directory: string): string => join(directory, 'dev.json')

/** The dev server that works on this directory's state; null when none does, or the one recorded is gone. */
export function readDevServer(directory: string): DevServer | null {
  try {
    const { url, pid }: Partial<DevServer> = JSON.parse(readFileSync(fileIn(directory), 'utf8'))
    if (typeof url !== 'string' || typeof pid !== 'number') return null
    process.kill(pid, 0)
    return { url, pid }
  } catch {
    return null
  }
}

/**
 * As `readDevServer`, and null as well where something else runs under the recorded process id, as after a restart of the
 * machine: nothing listens at the recorded address, and the record is too old for a server that is still starting.
 */
export async function liveDevServer(directory: string): Promise<DevServer | null> {
  const server = readDevServer(directory)
  if (server === null) return null
  const answer = await fetch(`${server.url}/healthz`, { signal: AbortSignal.timeout(5000) }).catch((error: unknown) => error)
  if (!isRefusal(answer)) return server
  return Date.now() - statSync(fileIn(directory)).mtimeMs > STARTED_AFTER_MS ? null : server
}

const isRefusal = (answer: unknown): boolean =>
  answer instanceof Error && (answer.cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED'

export function recordDevServer(directory: string, server: DevServer): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(fileIn(directory), JSON.stringify(server))
}

export const forgetDevServer = (directory: string): void => rmSync(fileIn(directory), { force: true })

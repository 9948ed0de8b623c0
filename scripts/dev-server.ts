import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { reasonIn, WRANGLER, WRANGLER_ENV } from './wrangler.ts'

const ROOT = join(import.meta.dirname, '..')
const START_TIMEOUT_MS = 60_000

export type RunningEdge = { url: string; pid: number; ended: Promise<number | null>; stop(): Promise<void> }

export type EdgeOptions = {
  port: number
  state: string
  /** Further Worker variables, such as CHANNEL_REFRESH_SECONDS. */
  variables?: Record<string, string>
  /** Told at once, long before the Worker answers, which process opens the state. */
  onSpawn?: (edge: { url: string; pid: number }) => void
  /** Every line that wrangler prints. */
  onLine?: (line: string) => void
  /** Ends the server, or its start. */
  signal?: AbortSignal
}

/**
 * `wrangler dev` on the given local state, in a process group of its own so that stopping it leaves nothing behind.
 * Resolves when the Worker answers. @throws Error with wrangler's last lines when it does not
 */
export async function startEdge({ port, state, variables = {}, ...options }: EdgeOptions): Promise<RunningEdge> {
  const { onSpawn, onLine, signal } = options
  signal?.throwIfAborted()
  const flags = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const child = spawn(
    process.execPath,
    [
      WRANGLER,
      'dev',
      '--port',
      String(port),
      '--ip',
      '127.0.0.1',
      '--persist-to',
      state,
      '--show-interactive-dev-session=false',
      '--inspector-port',
      '0',
      ...flags,
    ],
    { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...WRANGLER_ENV } },
  )
  const tail: string[] = []
  let listening = false
  const keep = (chunk: Buffer): void => {
    for (const line of stripVTControlCharacters(chunk.toString()).split('\n')) {
      if (line.trim() === '') continue
      tail.push(line)
      if (tail.length > 20) tail.shift()
      listening ||= line.includes('Ready on http')
      onLine?.(line)
    }
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const stop = (): Promise<void> => stopGroup(child, ended)
  signal?.addEventListener('abort', () => void stop(), { once: true })
  const url = `http://127.0.0.1:${port}`
  try {
    onSpawn?.({ url, pid: child.pid ?? 0 })
    await untilAnswering(url, child, () => listening)
  } catch (error) {
    await stop()
    signal?.throwIfAborted()
    throw new Error(`${error instanceof Error ? error.message : String(error)}: ${reasonIn(tail)}`, { cause: tail.join('\n') })
  }
  return { url, pid: child.pid ?? 0, ended, stop }
}

/** That something answers is not enough: where the port was taken in between, it is another server. */
async function untilAnswering(url: string, child: ChildProcess, isListening: () => boolean): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`wrangler dev ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`)
    if (isListening() && (await fetch(`${url}/healthz`).catch(() => null))?.ok) return
    await setTimeout(100)
  }
  throw new Error(`wrangler dev did not answer within ${START_TIMEOUT_MS / 1000} s`)
}

/** Ends the whole group: wrangler first by asking, then whatever of workerd is left by force. */
async function stopGroup(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.pid === undefined) return
  signalGroup(child.pid, 'SIGTERM')
  // Without a reference: a command that has stopped its edge ends at once, not when this has run out.
  await Promise.race([ended, setTimeout(5000, undefined, { ref: false })])
  signalGroup(child.pid, 'SIGKILL')
  await ended
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is gone already.
  }
}

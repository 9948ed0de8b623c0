import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const ROOT = join(import.meta.dirname, '..')
const START_TIMEOUT_MS = 60_000

export type RunningEdge = { url: string; pid: number; ended: Promise<number | null>; stop(): Promise<void> }

/** Further Worker variables, such as CHANNEL_REFRESH_SECONDS. */
export type EdgeOptions = { port: number; state: string; variables?: Record<string, string>; onLine?: (line: string) => void }

/**
 * `wrangler dev` on the given local state, in a process group of its own so that stopping it leaves nothing behind.
 * Resolves when the Worker answers. @throws Error with wrangler's last lines when it does not
 */
export async function startEdge({ port, state, variables = {}, onLine = () => undefined }: EdgeOptions): Promise<RunningEdge> {
  const wrangler = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')
  const flags = Object.entries(variables).flatMap(([name, value]) => ['--var', `${name}:${value}`])
  const child = spawn(
    process.execPath,
    [wrangler, 'dev', '--port', String(port), '--ip', '127.0.0.1', '--persist-to', state, '--show-interactive-dev-session=false', ...flags],
    // Without these the local runtime asks the network where it is and whether there is a newer wrangler.
    {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_LOG_SANITIZE: 'true' },
    },
  )
  const tail: string[] = []
  const keep = (chunk: Buffer): void => {
    for (const line of chunk.toString().split('\n')) {
      if (line.trim() === '') continue
      tail.push(line)
      if (tail.length > 20) tail.shift()
      onLine(line)
    }
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const url = `http://127.0.0.1:${port}`
  try {
    await untilAnswering(url, child, ended)
  } catch (error) {
    await stopGroup(child, ended)
    throw new Error(`${error instanceof Error ? error.message : String(error)}:\n${tail.join('\n')}`)
  }
  return { url, pid: child.pid ?? 0, ended, stop: () => stopGroup(child, ended) }
}

async function untilAnswering(url: string, child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`wrangler dev ended with exit code ${await ended}`)
    const answer = await fetch(`${url}/healthz`).catch(() => null)
    if (answer?.ok) return
    await setTimeout(100)
  }
  throw new Error(`wrangler dev did not answer within ${START_TIMEOUT_MS / 1000} s`)
}

/** Ends the whole group: wrangler first by asking, then whatever of workerd is left by force. */
async function stopGroup(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.pid === undefined) return
  signalGroup(child.pid, 'SIGTERM')
  await Promise.race([ended, setTimeout(5000)])
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

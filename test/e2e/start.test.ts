import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { type DevServer, readDevServer, recordDevServer } from '../../batch/stores/dev-server.ts'

const ROOT = join(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'nightjar-start-'))
const started: Run[] = []

/** A command in a process group of its own, as a terminal runs it. */
type Run = { child: ChildProcess; output: () => string; ended: Promise<number | null> }

function run(script: 'start' | 'dev', ...options: string[]): Run {
  const child = spawn('npm', ['run', '--silent', script, '--', ...options], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise<number | null>((done) => child.once('close', done))
  const one = { child, output: () => output, ended }
  started.push(one)
  return one
}

/** What Ctrl-C does: the signal goes to everything in the terminal's foreground. */
function press(signal: NodeJS.Signals, { child }: Run): void {
  process.kill(-Number(child.pid), signal)
}

async function untilPrinted({ output, child }: Run, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before it printed "${text}":\n${output()}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

/** Processes of the groups that these leaders started; not those that have ended and whose parent has yet to notice. */
const processesOf = (...leaders: (number | undefined)[]): string[] =>
  execFileSync('ps', ['-eo', 'pgid=,stat=,pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => {
      const [group, state] = line.trim().split(/\s+/)
      return leaders.includes(Number(group)) && !state?.startsWith('Z')
    })

function recorded(): DevServer {
  const server = readDevServer(directory)
  if (server === null) throw new Error('no running server is recorded')
  return server
}

afterEach(async () => {
  for (const one of started.splice(0)) {
    if (one.child.exitCode === null && one.child.signalCode === null) press('SIGINT', one)
    await one.ended
  }
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('npm start', () => {
  it('interrupted in its first night, leaves no process and no release', async () => {
    const first = run('start', '--directory', directory)
    await untilPrinted(first, 'ingest')
    press('SIGINT', first)
    expect(await first.ended).not.toBe(0)
    expect(processesOf(first.child.pid)).toEqual([])
    const dev = run('dev', '--directory', directory)
    expect(await dev.ended).toBe(1)
    expect(dev.output()).toMatch(/^Nothing has been published yet\. Run "npx nightjar nightly[^\n]*\n$/)
  })

  it('makes a release, serves it, and ends every process on Ctrl-C', async () => {
    const first = run('start', '--directory', directory)
    await untilPrinted(first, 'is up')
    const { url, pid } = recorded()
    expect(first.output()).toContain(url)
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: expect.stringMatching(/ready|stale/), items: 900 })
    expect(await (await fetch(url)).text()).toContain('<html')
    expect(processesOf(pid).length).toBeGreaterThan(1)

    const second = run('start', '--directory', directory)
    expect(await second.ended).toBe(1)
    expect(second.output().trim()).toMatch(/^An edge on .* is up already: http:[^\n]*$/)

    press('SIGINT', first)
    await first.ended
    expect(processesOf(first.child.pid, pid)).toEqual([])
    expect(existsSync(join(directory, 'dev.json'))).toBe(false)
  })

  it('starts again without another night, whatever a crash left behind, and ends on SIGTERM', async () => {
    recordDevServer(directory, { url: 'http://127.0.0.1:8787', pid: 2 ** 22 + 1 })
    const again = run('dev', '--directory', directory)
    await untilPrinted(again, 'is up')
    expect(again.output()).not.toContain('first night')
    const { pid } = recorded()
    again.child.kill('SIGTERM')
    await again.ended
    expect(processesOf(again.child.pid, pid)).toEqual([])
  })

  it('interrupted while the edge starts, leaves no process', async () => {
    const starting = run('dev', '--directory', directory)
    await untilPrinted(starting, 'Starting the edge')
    while (readDevServer(directory) === null) await new Promise((done) => setTimeout(done, 10))
    const { pid } = recorded()
    press('SIGINT', starting)
    await starting.ended
    expect(processesOf(starting.child.pid, pid)).toEqual([])
    expect(existsSync(join(directory, 'dev.json'))).toBe(false)
  })

  it('says in one line when the edge crashes, and leaves nothing of it', async () => {
    const crashing = run('dev', '--directory', directory)
    await untilPrinted(crashing, 'is up')
    const { pid } = recorded()
    process.kill(pid, 'SIGKILL')
    expect(await crashing.ended).toBe(1)
    expect(crashing.output()).toMatch(/\nThe edge ended by itself [^\n]*edge\.log has its last words\.\n$/)
    expect(readFileSync(join(directory, 'edge.log'), 'utf8')).toContain('Ready on')
    expect(processesOf(crashing.child.pid, pid)).toEqual([])
  })

  it('says in one line that the wanted port is taken', async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const { port } = server.address() as AddressInfo
    const refused = run('dev', '--directory', directory, '--port', String(port))
    expect(await refused.ended).toBe(1)
    expect(refused.output()).toBe(`Port ${port} is taken; leave --port out to get a free one.\n`)
    server.close()
  })
})

import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import getPort, { portNumbers } from 'get-port'
import { readChannel } from '../batch/release/release-store.ts'
import { forgetDevServer, liveDevServer, recordDevServer } from '../batch/stores/dev-server.ts'
import { prepareFolder } from '../batch/stores/local-folder.ts'
import { findTarget, openStores, stateOf } from '../batch/stores/open-stores.ts'
import { startEdge } from './dev-server.ts'
import { parseOptions } from './parse-options.ts'
import { ensureLocalSecrets } from './secrets.ts'

const ROOT = join(import.meta.dirname, '..')

const HELP = `npm start            make the demo shop's first release if there is none, then serve it
npm run dev          serve what was published, whatever it was
  -- --port <n>      instead of the first free port from 8787
  -- --directory <d> instead of .nightjar
  -- --no-night      as npm run dev
`

/** As a shell reports a command ended by Ctrl-C. */
const INTERRUPTED = 130

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interruption.abort())
// npm passes signals on to the shell between, which ends without telling: what is left without its parent ends too.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && interruption.abort(), 500).unref()
}

try {
  process.exitCode = await main()
} catch (error) {
  const { aborted } = interruption.signal
  if (!aborted) process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  // A runtime that failed to start may leave something behind that would keep the process waiting.
  process.exit(aborted ? INTERRUPTED : 1)
}

async function main(): Promise<number> {
  const { values } = parseOptions({
    options: {
      port: { type: 'string' },
      directory: { type: 'string', default: join(ROOT, '.nightjar') },
      'no-night': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const directory = resolve(values.directory)
  await refuseSecond(directory)
  const wanted = values.port === undefined ? undefined : await checkedPort(values.port)
  prepareFolder(directory)
  ensureLocalSecrets(join(ROOT, '.dev.vars'))
  if (!(await isPublished(directory))) {
    if (values['no-night'])
      throw new Error('Nothing has been published yet. Run "npx nightjar nightly --source …" first, or "npm start" for the demo shop.')
    process.stdout.write('The first night: the demo shop’s history becomes a release.\n')
    // In a process of its own, so that its memory is given back before the edge starts.
    const code = await run('batch/bin/nightjar.mjs', 'nightly', '--source', 'shop', '--directory', directory)
    if (code !== 0) return code
  }
  process.stdout.write('Starting the edge …\n')
  // wrangler would build too, but within the time that it has to answer: the first build takes a minute on a busy machine.
  const code = await run('scripts/build.ts')
  if (code !== 0) return code
  return serve(directory, wanted ?? (await getPort({ port: portNumbers(8787, 8887) })))
}

/** Two servers on one state would each work on files that the other changes under it. */
async function refuseSecond(directory: string): Promise<void> {
  const running = await liveDevServer(directory)
  if (running !== null)
    throw new Error(`An edge on ${directory} is up already: ${running.url} (process ${running.pid}). Stop it, or give another --directory.`)
}

async function checkedPort(text: string): Promise<number> {
  const wanted = Number(text)
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > 65_535) throw new Error(`--port must be a number from 1 to 65535, not "${text}"`)
  if ((await getPort({ port: wanted })) !== wanted) throw new Error(`Port ${wanted} is taken; leave --port out to get a free one.`)
  return wanted
}

async function isPublished(directory: string): Promise<boolean> {
  const stores = await openStores(await findTarget({ remote: false, directory }))
  try {
    return (await readChannel(stores.kv)) !== null
  } catch {
    // A channel that cannot be trusted is as good as none: a night makes a new one.
    return false
  } finally {
    await stores.close()
  }
}

/** Runs a script of the project to its end, or until it is interrupted. @returns its exit code */
async function run(script: string, ...args: string[]): Promise<number> {
  interruption.signal.throwIfAborted()
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { stdio: 'inherit' })
  interruption.signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
  return new Promise((done) => child.once('exit', (code) => done(interruption.signal.aborted ? INTERRUPTED : (code ?? 1))))
}

/** Serves until it is interrupted or the server ends by itself. @returns the exit code */
async function serve(directory: string, port: number): Promise<number> {
  const { signal } = interruption
  const log = createWriteStream(join(directory, 'edge.log'))
  try {
    const edge = await startEdge({
      port,
      state: stateOf(directory),
      variables: { CHANNEL_REFRESH_SECONDS: '2' },
      onSpawn: (server) => recordDevServer(directory, server),
      onLine: (line) => log.write(`${line}\n`),
      signal,
    })
    await untilReady(edge.url, signal)
    process.stdout.write(`\n  Nightjar is up:  ${edge.url}\n\n  Ctrl-C ends it.\n\n`)
    const code = await edge.ended
    // Also when it ended by itself: what else it started may still be there.
    await edge.stop()
    if (signal.aborted) return 0
    process.stderr.write(`The edge ended by itself (wrangler's exit code ${code}); ${join(directory, 'edge.log')} has its last words.\n`)
    return 1
  } finally {
    forgetDevServer(directory)
    log.end()
  }
}

/** A release that cannot be read is no reason to end: the edge answers from what it was deployed with, and says so. */
async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + 10_000
  while (Date.now() < deadline && !signal.aborted) {
    const answer = await fetch(`${url}/readyz`, { signal }).catch(() => null)
    if (answer?.ok) return
    await setTimeout(100)
  }
  process.stderr.write(
    'The published release cannot be read; until "npm run nightly" makes another, the edge answers from its bundled list.\n',
  )
}

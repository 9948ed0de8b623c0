import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import getPort, { portNumbers } from 'get-port'
import { readChannel } from '../batch/release/release-store.ts'
import { forgetDevServer, readDevServer, recordDevServer } from '../batch/stores/dev-server.ts'
import { findTarget, openStores, stateOf } from '../batch/stores/open-stores.ts'
import { startEdge } from './dev-server.ts'
import { ensureLocalSecrets } from './secrets.ts'

const ROOT = join(import.meta.dirname, '..')

const HELP = `npm start            make the demo shop's first release if there is none, then serve it
npm run dev          serve what was published, whatever it was
  -- --port <n>      instead of the first free port from 8787
  -- --directory <d> instead of .nightjar
  -- --no-night      as npm run dev
`

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const { values } = parseArgs({
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
  const running = readDevServer(directory)
  if (running !== null)
    throw new Error(
      `An edge on ${directory} is running already: ${running.url} (process ${running.pid}). Stop it, or give another --directory.`,
    )
  const port = await portFrom(values.port)
  mkdirSync(directory, { recursive: true })
  ensureLocalSecrets(join(ROOT, '.dev.vars'))
  if (!(await isPublished(directory))) {
    if (values['no-night'])
      throw new Error('Nothing has been published yet. Run "npx nightjar nightly --source …" first, or "npm start" for the demo shop.')
    const code = await firstNight(directory)
    if (code !== 0) return code
  }
  process.stdout.write('Starting the edge …\n')
  const edge = await startEdge({ port, state: stateOf(directory), variables: { CHANNEL_REFRESH_SECONDS: '2' }, onLine: report })
  recordDevServer(directory, { url: edge.url, pid: edge.pid })
  const stop = (): void => void edge.stop()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  process.stdout.write(`\n  Nightjar is up:  ${edge.url}\n\n  Ctrl-C ends it.\n\n`)
  await edge.ended
  forgetDevServer(directory)
  return 0
}

async function portFrom(text: string | undefined): Promise<number> {
  if (text === undefined) return getPort({ port: portNumbers(8787, 8887) })
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

/** The night runs in a process of its own: its memory is given back before the edge starts. */
async function firstNight(directory: string): Promise<number> {
  process.stdout.write('The first night: the demo shop’s history becomes a release.\n')
  const child = spawn(process.execPath, [join(ROOT, 'batch/bin/nightjar.mjs'), 'nightly', '--source', 'shop', '--directory', directory], {
    stdio: 'inherit',
  })
  const pass = (signal: NodeJS.Signals): boolean => child.kill(signal)
  process.once('SIGTERM', pass)
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)))
}

/** Of wrangler's output only what a person must know. */
function report(line: string): void {
  if (/\[ERROR\]|✘|Uncaught/.test(line)) process.stderr.write(`${line}\n`)
}

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler'
import { buildOnnx } from '../batch/onnx/build.ts'
import { type Bindings, storesOf } from '../batch/stores/binding.ts'
import type { Stores } from '../batch/stores/open-stores.ts'
import { wrangler } from './wrangler.ts'

const ROOT = join(import.meta.dirname, '..')

/** A Worker bundled by wrangler: its folder, and every file of it that is uploaded. */
export type BuiltWorker = { folder: string; files: string[] }

export type BuiltEdge = {
  url: string
  /** Where the local explorer's REST API is, for what works on its state meanwhile; `url`, but for an entrypoint of its own. */
  home: string
  /** Process id of the runtime. */
  pid: number
  stores: Stores
  stop(): Promise<void>
}

export type EdgeOptions = {
  /** Where KV, R2 and objects are kept; without it they go when it stops. */
  persist?: string
  /** An exported handler that is served on a socket of its own, with nothing before it: neither assets nor routing. */
  entrypoint?: string
  /** The port of that socket; without it a free one. */
  directPort?: number
  /** Where the runtime's output goes, the Worker's log among it; without it to this process's own. */
  output?: Writable
  /** With the REST API through which nights reach its KV and R2. */
  explorer?: boolean
  /** A folder of static assets instead of the site's. */
  site?: string
  /** A port for V8's inspector. Whatever is timed has none. */
  inspectorPort?: number
}

const MODULE_TYPES = { js: 'ESModule', wasm: 'CompiledWasm', onnx: 'Data', bin: 'Data' } as const
const moduleType = (name: string): (typeof MODULE_TYPES)[keyof typeof MODULE_TYPES] | undefined =>
  MODULE_TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof MODULE_TYPES]

/** What ONNX starts from: what the build chose, or onnxruntime-web as it comes, to compare with. */
export type OnnxStart = 'as-deployed' | 'stock'

/** Bundles the Worker as it would be deployed. @param main another entry than wrangler.toml's */
export async function buildWorker(folder: string, main?: string, onnx: OnnxStart = 'as-deployed'): Promise<BuiltWorker> {
  await wrangler(['deploy', ...(main === undefined ? [] : [main]), '--dry-run', '--outdir', folder])
  if (onnx === 'stock') await takeStockOnnx(folder)
  return { folder, files: readdirSync(folder).filter((name) => moduleType(name) !== undefined) }
}

/**
 * The Worker as it would be deployed, bundled by wrangler, in workerd without a development proxy before it, on empty
 * storage that goes when it stops.
 * @param variables what it has beside wrangler.toml's own variables, secrets among them
 */
export async function startBuiltEdge(variables: Record<string, string>): Promise<BuiltEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-built-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const edge = await startWorker(await buildWorker(folder), variables)
    const stop = async (): Promise<void> => {
      await edge.stop()
      remove()
    }
    return { ...edge, stop }
  } catch (error) {
    remove()
    throw error
  }
}

/** Starts a built Worker in workerd. @param variables as above */
export async function startWorker(
  { folder, files }: BuiltWorker,
  variables: Record<string, string>,
  { persist, entrypoint, directPort = 0, explorer = false, output, site, inspectorPort }: EdgeOptions = {},
): Promise<BuiltEdge> {
  const modules = files
    .flatMap((name) => {
      const type = moduleType(name)
      return type === undefined ? [] : [{ type, path: join(folder, name) }]
    })
    // The first module is the one that runs.
    .sort((a, b) => Number(b.type === 'ESModule') - Number(a.type === 'ESModule'))
  // All that it has beside wrangler.toml is in `variables`. Wrangler would look for secrets as well, in a .dev.vars beside
  // the configuration, and what a developer keeps there must not change what is measured.
  const config = {
    ...unstable_readConfig({ config: join(ROOT, 'wrangler.toml') }),
    secrets: undefined,
    userConfigPath: join(folder, 'wrangler.toml'),
  }
  const { modulesRules: _, ...worker } = unstable_getMiniflareWorkerOptions(config).workerOptions
  const before = new Set(runtimes())
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      port: 0,
      cf: false,
      unsafeLocalExplorer: explorer,
      ...(output !== undefined && {
        handleStructuredLogs: ({ message }: { message: string }) => void output.write(`${message}\n`),
        handleRuntimeStdio: (...streams: Readable[]) => {
          for (const stream of streams) stream.on('data', (chunk) => output.write(chunk))
        },
      }),
      log: new Log(LogLevel.ERROR),
      ...(persist !== undefined && { resourcePersistencePath: persist }),
      ...(inspectorPort !== undefined && { inspectorPort }),
      workers: [
        {
          ...worker,
          name: 'nightjar',
          modules,
          modulesRoot: folder,
          ...(site !== undefined && { assets: Object.assign({}, worker.assets, { directory: site }) }),
          bindings: Object.assign({}, worker.bindings, variables),
          ...(entrypoint !== undefined && { unsafeDirectSockets: [{ host: '127.0.0.1', port: directPort, entrypoint }] }),
        },
      ],
    }),
  )
  const stop = (): Promise<void> => miniflare.dispose()
  try {
    const ready = await miniflare.ready
    const url = entrypoint === undefined ? ready : await miniflare.unsafeGetDirectURL('nightjar', entrypoint)
    const pid = runtimes().find((id) => !before.has(id)) ?? 0
    return {
      url: url.href,
      home: ready.origin,
      pid,
      stores: storesOf(await miniflare.getBindings<Bindings>('nightjar'), () => Promise.resolve()),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The runtimes that this process has started; none where the system has no /proc. */
function runtimes(): number[] {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** Puts the stock runtime in the place of the one that was bundled, file by file; wrangler sets a hash before their names. */
async function takeStockOnnx(folder: string): Promise<void> {
  const { filesFor } = await buildOnnx()
  const bundled = readdirSync(folder)
  for (const [name, bytes] of Object.entries(filesFor('stock')))
    for (const file of bundled.filter((one) => one.endsWith(`-${name}`))) writeFileSync(join(folder, file), bytes)
}

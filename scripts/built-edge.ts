import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare'
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler'
import { type Bindings, storesOf } from '../batch/stores/binding.ts'
import type { Stores } from '../batch/stores/open-stores.ts'
import { wrangler } from './wrangler.ts'

const ROOT = join(import.meta.dirname, '..')

export type BuiltEdge = { url: string; stores: Stores; stop(): Promise<void> }

const MODULE_TYPES = { js: 'ESModule', wasm: 'CompiledWasm', onnx: 'Data' } as const

/**
 * The Worker as it would be deployed, bundled by wrangler, in workerd without a development proxy before it, on empty
 * storage that goes when it stops.
 * @param variables what it has beside wrangler.toml's own variables, secrets among them
 */
export async function startBuiltEdge(variables: Record<string, string>): Promise<BuiltEdge> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-built-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    await wrangler(['deploy', '--dry-run', '--outdir', folder])
    const modules = readdirSync(folder)
      .flatMap((name) => {
        const type = MODULE_TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof MODULE_TYPES]
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
    const miniflare = new Miniflare(
      convertV4MiniflareOptions({
        port: 0,
        cf: false,
        log: new Log(LogLevel.ERROR),
        workers: [{ ...worker, name: 'nightjar', modules, modulesRoot: folder, bindings: Object.assign({}, worker.bindings, variables) }],
      }),
    )
    const stop = async (): Promise<void> => {
      await miniflare.dispose()
      remove()
    }
    try {
      const url = await miniflare.ready
      return { url: url.href, stores: storesOf(await miniflare.getBindings<Bindings>('nightjar'), () => Promise.resolve()), stop }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    remove()
    throw error
  }
}

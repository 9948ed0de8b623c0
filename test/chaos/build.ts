import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import type { BuiltWorker } from '../../scripts/built-edge.ts'
import { protections, weakenedSource } from './protections.ts'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Bundles the Worker with the entry that lets it be broken. The sound build holds every other module as it is deployed; in the
 * weakened one protections can be switched off.
 */
export async function buildChaosWorker(folder: string, weakened: boolean): Promise<BuiltWorker> {
  const found = new Set<string>()
  const switched = protections.filter(({ at }) => at === 'edge')
  await build({
    entryPoints: { index: join(ROOT, 'test/chaos/edge/entry.ts') },
    outdir: folder,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*', 'module', 'worker_threads'],
    loader: { '.wasm': 'copy', '.onnx': 'copy', '.bin': 'copy' },
    assetNames: '[hash]-[name]',
    logLevel: 'error',
    plugins: weakened
      ? [
          {
            name: 'weaken',
            setup(esbuild) {
              esbuild.onLoad({ filter: /\.ts$/ }, ({ path }) => {
                const name = relative(ROOT, path)
                const contents = weakenedSource(name, readFileSync(path, 'utf8'), switched)
                if (contents === null) return undefined
                found.add(name)
                return { contents, loader: 'ts' }
              })
            },
          },
        ]
      : [],
  })
  const missed = weakened ? switched.filter(({ file }) => !found.has(file)) : []
  if (missed.length > 0) throw new Error(`not part of the Worker: ${missed.map(({ file }) => file).join(', ')}`)
  return { folder, files: readdirSync(folder).filter((name) => /\.(js|wasm|onnx|bin)$/.test(name)) }
}

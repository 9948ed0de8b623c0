import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const ROOT = join(import.meta.dirname, '..')
const SITE = join(ROOT, 'workers/site')
const OUT = join(ROOT, 'dist/site')

/** The static assets that the Worker serves: the demo page, the SDK, and the list that answers when KV does not. */
export async function buildSite(): Promise<void> {
  mkdirSync(OUT, { recursive: true })
  cpSync(join(SITE, 'public'), OUT, { recursive: true })
  const pages = readdirSync(join(SITE, 'page')).filter((name) => name === 'main.ts')
  const common = { bundle: true, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning' } as const
  await build({ ...common, entryPoints: [join(SITE, 'sdk/nightjar.ts')], outfile: join(OUT, 'nightjar.js') })
  await build({ ...common, entryPoints: pages.map((name) => join(SITE, 'page', name)), outdir: OUT, external: ['./nightjar.js'] })
  const bundled = join(ROOT, '.nightjar/bundled.json')
  if (existsSync(bundled)) cpSync(bundled, join(OUT, 'bundled.json'))
  else writeFileSync(join(OUT, 'bundled.json'), '{"items":[]}')
}

if (import.meta.main) await buildSite()

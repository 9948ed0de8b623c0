import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { placeOnnx } from '../batch/onnx/build.ts'
import { InputError } from '../batch/sources/source.ts'
import { MODEL_VARIABLE } from './model-variable.ts'
import { parseOptions } from './parse-options.ts'

const ROOT = join(import.meta.dirname, '..')
const SITE = join(ROOT, 'workers/site')
const OUT = join(ROOT, 'dist/site')

const HELP = `npm run build            make what the Worker is deployed with: its page, its SDK, its ONNX runtime
  -- --model <file>      rank with this ONNX graph instead of the ranker's own (docs/serving.md)
`

/** The static assets that the Worker serves: the demo page, the SDK, and the list that answers when KV does not. */
export async function buildSite(): Promise<void> {
  const files = new Map<string, Uint8Array>()
  for (const name of filesIn(join(SITE, 'public'))) files.set(name, readFileSync(join(SITE, 'public', name)))
  for (const source of ['sdk/nightjar.ts', 'sdk/later.ts', 'page/main.ts']) files.set(...(await bundle(source)))
  files.set('openapi.json', readFileSync(join(ROOT, 'docs/openapi.json')))
  const bundled = join(ROOT, '.nightjar/bundled.json')
  files.set('bundled.json', existsSync(bundled) ? readFileSync(bundled) : Buffer.from('{"items":[]}'))
  mkdirSync(OUT, { recursive: true })
  for (const name of filesIn(OUT)) if (!files.has(name)) rmSync(join(OUT, name))
  for (const [name, bytes] of files) writeIfChanged(join(OUT, name), bytes)
}

/** The page loads the SDK as any site would: from its own file. */
async function bundle(source: string): Promise<[name: string, bytes: Uint8Array]> {
  const { outputFiles } = await build({
    entryPoints: [join(SITE, source)],
    outdir: OUT,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    external: ['./nightjar.js', './later.js'],
    logLevel: 'warning',
    write: false,
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error(`nothing came of bundling ${source}`)
  return [relative(OUT, output.path), output.contents]
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(directory, name)).isFile())

/** A dev server reloads the assets whenever one is written, changed or not. */
function writeIfChanged(file: string, bytes: Uint8Array): void {
  if (existsSync(file) && Buffer.compare(readFileSync(file), bytes) === 0) return
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

if (import.meta.main) process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseOptions({ options: { model: { type: 'string' }, help: { type: 'boolean', default: false } } })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  try {
    await buildSite()
    const { line } = await placeOnnx(values.model ?? process.env[MODEL_VARIABLE])
    process.stdout.write(`${line}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    process.stderr.write(`build: ${error.message}\n`)
    return 2
  }
}

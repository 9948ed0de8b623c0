import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { encodeSnapshot } from '../../shared/onnx/snapshot.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import { GRAPH_FILE } from '../ranker/graph-file.ts'
import { HIDDEN } from '../ranker/parameters.ts'
import { InputError } from '../sources/source.ts'
import { askApart } from './apart.ts'
import { isCompared, NEEDED_RUNS } from './compared.ts'
import type { Answer, Task } from './make-worker.ts'
import { GLUE, readStock } from './runtimes.ts'

const ROOT = join(import.meta.dirname, '../..')
const DIST = join(ROOT, 'dist/onnx')
/** What workers/scoring/artefacts.ts imports. */
const CURRENT = join(DIST, 'current')
const KEPT_BUILDS = 4

export const RANKER_SHAPE = { features: FEATURE_COUNT, hidden: HIDDEN }

/** What the Worker starts: the slim runtime with what runs need, or with all of its memory and branches, or onnxruntime-web's own. */
export type Start = 'pruned' | 'whole' | 'stock'

/** The files that the Worker imports, by name. */
export type Artefacts = Record<'runtime.wasm' | 'snapshot.bin' | 'ranker.onnx' | 'glue.mjs', Uint8Array<ArrayBuffer>>

export type OnnxBuild = {
  start: Start
  /** One line that says what is deployed, and why. */
  line: string
  /** Names the slim runtime and the pruned snapshot by their bytes; null where there is none of the two. */
  artefacts: string | null
  filesFor(start: Start): Artefacts
}

/** What is kept of a build beside its files. */
type Told = { key: string; refused: string | null; failed: string | null; needsAll: string | null }

/**
 * Makes what the Worker starts ONNX from, unless it is made already, and puts it where the Worker imports it.
 * @param model a graph to deploy instead of the ranker's own
 * @throws InputError when that graph cannot rank
 */
export async function placeOnnx(model: string = GRAPH_FILE): Promise<OnnxBuild> {
  const build = await buildOnnx(model)
  mkdirSync(CURRENT, { recursive: true })
  for (const [name, bytes] of Object.entries(build.filesFor(build.start))) writeIfChanged(join(CURRENT, name), bytes)
  return build
}

/** The same, left in the cache. @throws InputError */
export async function buildOnnx(model: string = GRAPH_FILE): Promise<OnnxBuild> {
  if (!existsSync(model)) throw new InputError(`there is no model ${model}`)
  const graph = Uint8Array.from(readFileSync(model))
  const folder = join(DIST, hashOf(readStock(), readFileSync(GLUE), graph, ...builderCode()))
  if (!existsSync(folder)) await make(graph, folder)
  const read = (name: string): Uint8Array<ArrayBuffer> => Uint8Array.from(readFileSync(join(folder, name)))
  const { key, refused, failed, needsAll }: Told = JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8'))
  if (refused !== null) throw new InputError(`${model} cannot rank: ${refused}`)
  const artefacts = failed === null && needsAll === null ? hashOf(read('pruned.wasm'), read('pruned.bin')) : null
  const start = failed !== null ? 'stock' : artefacts !== null && isCompared(artefacts) ? 'pruned' : 'whole'
  const filesFor = (wanted: Start): Artefacts => ({
    'runtime.wasm': wanted === 'stock' ? readStock() : read(`${wanted}.wasm`),
    'snapshot.bin': read(`${wanted}.bin`),
    'ranker.onnx': graph,
    'glue.mjs': deployableGlue(key, wanted),
  })
  const how = {
    pruned: 'a slim runtime, started from a snapshot',
    whole: `a slim runtime, started from a snapshot of all its memory (${
      needsAll === null
        ? `less of it after "npx nightjar bench onnx --runs ${NEEDED_RUNS} --record"`
        : `with less of it, it differs in ${needsAll}`
    })`,
    stock: `onnxruntime-web as it comes, because ${failed}`,
  }[start]
  const size = Math.round(gzipBytes(filesFor(start)) / 1000)
  return { start, line: `ONNX for ${model === GRAPH_FILE ? 'the ranker' : model}: ${how}, ${size} KB gzip`, artefacts, filesFor }
}

/** By which the script decides that it runs in Node. */
const NODE = 'globalThis.process?.versions?.node'

/**
 * The stock script with its key. A bundled Worker has no `import.meta.url`, without which the script ends at its first line; and
 * taken for Node, as Workers give themselves out, it loads six of Node's modules that a runtime from a snapshot never calls.
 */
function deployableGlue(key: string, start: Start): Uint8Array<ArrayBuffer> {
  const stock = readFileSync(GLUE, 'utf8').replaceAll('import.meta.url', "'file:///glue.mjs'")
  const script = start === 'stock' ? stock : stock.replaceAll(NODE, 'null')
  return Uint8Array.from(Buffer.from(`${script}\nexport const key = '${key}'\n`))
}

export const gzipBytes = (files: Artefacts): number =>
  Object.values(files).reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0)

async function make(graph: Uint8Array<ArrayBuffer>, folder: string): Promise<void> {
  const answer = await askApart<Task, Answer>(new URL('make-worker.ts', import.meta.url), { graph, shape: RANKER_SHAPE })
  mkdirSync(DIST, { recursive: true })
  // Whoever builds at the same time makes the same bytes; a build is there whole or not at all.
  const draft = mkdtempSync(join(DIST, 'draft-'))
  const write = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(draft, name), bytes)
  if (answer.stock !== null) write('stock.bin', encodeSnapshot(answer.stock))
  for (const [name, pair] of Object.entries({ whole: answer.made?.whole, pruned: answer.made?.pruned })) {
    if (pair === undefined || pair === null) continue
    write(`${name}.wasm`, pair.runtime)
    write(`${name}.bin`, encodeSnapshot(pair.snapshot))
  }
  const told: Told = {
    key: answer.stock?.key ?? '',
    refused: answer.refused,
    failed: answer.failed,
    needsAll: answer.made?.needsAll ?? null,
  }
  write('told.json', JSON.stringify(told))
  try {
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  forgetOldBuilds()
}

function forgetOldBuilds(): void {
  const builds = readdirSync(DIST)
    .filter((name) => join(DIST, name) !== CURRENT && !name.startsWith('draft-'))
    .map((name) => ({ name, at: statSync(join(DIST, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)
  for (const { name } of builds.slice(KEPT_BUILDS)) rmSync(join(DIST, name), { recursive: true, force: true })
}

/** A dev server reloads what is written, changed or not; and nobody may read half a file. */
function writeIfChanged(file: string, bytes: Uint8Array): void {
  if (existsSync(file) && Buffer.compare(readFileSync(file), bytes) === 0) return
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, bytes)
  renameSync(draft, file)
}

/** What decides the bytes beside the graph and the stock runtime. */
function builderCode(): Uint8Array[] {
  const files = [
    ...['branches.ts', 'compare.ts', 'exercise.ts', 'machine.ts', 'make-runtime.ts', 'make-worker.ts', 'module.ts', 'runtimes.ts'].map(
      (name) => join(import.meta.dirname, name),
    ),
    ...['known-case.ts', 'runtime.ts', 'session.ts', 'snapshot.ts'].map((name) => join(ROOT, 'shared/onnx', name)),
    join(ROOT, 'shared/release/container.ts'),
    join(ROOT, 'node_modules/binaryen/package.json'),
  ]
  return [...files.map((file) => readFileSync(file)), Buffer.from(JSON.stringify(RANKER_SHAPE))]
}

function hashOf(...parts: Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex').slice(0, 32)
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { knownCase } from '../../shared/onnx/known-case.ts'
import type { Runtime } from '../../shared/onnx/runtime.ts'
import { resumeSession, type Shape } from '../../shared/onnx/session.ts'
import type { Snapshot } from '../../shared/onnx/snapshot.ts'
import { referenceScores } from '../../shared/ranking/reference-scorer.ts'
import { contentHash } from '../../shared/release/hash.ts'
import { type Used, withBranches, withoutUnused } from './branches.ts'
import { compare } from './compare.ts'
import { allocateAtRandom, exercise, type Outcome, type Start, sameOutcome, tell } from './exercise.ts'
import { CLOCKS, setClock } from './machine.ts'
import { slim, withAccesses, withEntries, withGlobals } from './module.ts'
import { GLUE, openStock, readStock, startFrom } from './runtimes.ts'

/** What memory is kept or left out by; much is kept beside each byte that a run touches. */
const PAGE = 4096
const WASM_PAGE = 65_536
const WATCHED_RUNS = 40_000
/** Not the one by which runs are compared. */
const WATCHED_SEED = 3
/** Two networks agree this well when they are the same one. */
const TOLERANCE = 1e-4

/** A runtime's module and the snapshot that it goes on from. */
export type Pair = { runtime: Uint8Array<ArrayBuffer>; snapshot: Snapshot }

/**
 * A slim runtime with all of the memory; and with the pages alone that runs touch, and without the branches that they do not take:
 * that one null, and `needsAll` the reason, where runs need more than they were seen to.
 */
export type Made = { whole: Pair; pruned: Pair | null; needsAll: string | null }

/** Names what a snapshot belongs to: the runtime's module, the script that drives it, and the graph. */
export function snapshotKey(graph: Uint8Array): string {
  const hash = createHash('sha256')
  for (const part of [readStock(), readFileSync(GLUE), graph]) hash.update(createHash('sha256').update(part).digest())
  return hash.digest('hex').slice(0, 32)
}

/**
 * Makes the runtime that is deployed for one graph that can rank.
 * @throws Error when the slim runtime does not do what the stock one does
 */
export async function makeRuntime(graph: Uint8Array<ArrayBuffer>, shape: Shape): Promise<Made> {
  const key = snapshotKey(graph)
  const stock = withGlobals(readStock())
  const module = new WebAssembly.Module(stock.bytes)
  const whole = await capture(module, stock.globals, graph, shape, key)

  const entered = await enteredFunctions(stock.bytes, whole, shape)
  const runtime = slim(stock.bytes, entered, key)
  const touched = await touchedPages(runtime, whole, shape)
  const pruned = {
    runtime: withoutUnused(runtime, await usedIn(runtime, whole, shape)),
    snapshot: keepPages(whole, (page) => touched.has(page)),
  }

  const expected = await exerciseByEveryClock(async () => openStock(module, graph, shape), shape)
  const difference = async ({ runtime: made, snapshot }: Pair): Promise<string | null> => {
    const outcomes = await exerciseByEveryClock(starterOf(new WebAssembly.Module(made), snapshot), shape)
    const differs = expected.findIndex((outcome, i) => !sameOutcome(outcome, outcomes[i]))
    return differs < 0 ? null : `exercise ${differs}: ${tell(outcomes[differs])} instead of ${tell(expected[differs])}`
  }
  const wrong = await difference({ runtime, snapshot: whole })
  if (wrong !== null) throw new Error(`the slim runtime differs in ${wrong}`)
  const needsAll = await difference(pruned)
  return { whole: { runtime, snapshot: whole }, pruned: needsAll === null ? pruned : null, needsAll }
}

/**
 * A snapshot that holds no memory, for the stock runtime: all that the Worker needs to start it as it comes.
 * @throws ContractError when the graph is not one that can rank
 */
export async function stockSnapshot(graph: Uint8Array<ArrayBuffer>, shape: Shape): Promise<Snapshot> {
  return { ...(await capture(new WebAssembly.Module(readStock()), [], graph, shape, snapshotKey(graph))), ...NO_MEMORY }
}

const NO_MEMORY = { pages: 0, kept: new Uint32Array(0), bytes: new Uint8Array(0), pruned: new Uint32Array(0) }

async function capture(
  module: WebAssembly.Module,
  globals: readonly string[],
  graph: Uint8Array<ArrayBuffer>,
  shape: Shape,
  key: string,
): Promise<Snapshot> {
  const { runtime, exports, state, done } = await openStock(module, graph, shape)
  const memory = new Uint8Array(runtime.memory.buffer).slice()
  const values = Object.fromEntries(globals.map((name) => [name, (exports[name] as { value: number }).value]))
  const { known, likeReference } = knownScores(runtime, state, shape)
  const snapshot = {
    key,
    graph: await contentHash(graph),
    pages: memory.length / WASM_PAGE,
    globals: values,
    done,
    session: state,
    likeReference,
    known,
    kept: Uint32Array.of(0, memory.length),
    bytes: memory,
    pruned: new Uint32Array(0),
  }
  // Zeros are what a new memory holds.
  return keepPages(snapshot, () => true)
}

function knownScores(runtime: Runtime, state: Snapshot['session'], shape: Shape): Pick<Snapshot, 'known' | 'likeReference'> {
  const { weights, features, count } = knownCase(shape)
  const known = Float32Array.from(resumeSession(runtime, state, shape).run(weights, features, count))
  if (!known.every(Number.isFinite)) throw new Error('the graph gives no finite score for numbers between -1 and 1')
  const reference = new Float32Array(count)
  referenceScores(weights, features, count, reference)
  return { known, likeReference: reference.every((score, i) => Math.abs(score - known[i]) <= TOLERANCE * (1 + Math.abs(score))) }
}

async function enteredFunctions(bytes: Uint8Array, snapshot: Snapshot, shape: Shape): Promise<Set<string>> {
  const { bytes: watched, functions } = withEntries(bytes)
  const entered = new Set<number>()
  await exerciseByEveryClock(starterOf(new WebAssembly.Module(watched), snapshot, { entered: noteIn(entered) }), shape)
  return new Set(functions.filter((_, i) => entered.has(i)))
}

/** What a runtime does once in thousands of runs is seen in none of the exercises, each of which has a memory of its own. */
async function usedIn(runtime: Uint8Array, snapshot: Snapshot, shape: Shape): Promise<Used> {
  const taken = new Set<number>()
  const called = new Set<number>()
  const watch = { entered: noteIn(taken), called: noteIn(called) }
  const start = starterOf(new WebAssembly.Module(withBranches(runtime)), snapshot, watch)
  await exerciseByEveryClock(start, shape)
  await allocateAtRandom(start)
  await compare(start, start, { shape, runs: WATCHED_RUNS, seed: WATCHED_SEED, progress: () => undefined })
  return { taken: (branch) => taken.has(branch), called: (index) => called.has(index) }
}

const noteIn =
  (seen: Set<number>) =>
  (number: number): number => {
    seen.add(number)
    return number
  }

/** What a run does besides computing, it does by the clock. */
async function exerciseByEveryClock(start: Start, shape: Shape): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const clock of CLOCKS) {
    setClock(clock)
    outcomes.push(...(await exercise(start, shape)))
  }
  return outcomes
}

/** The numbers of the pages that runs read or write. */
async function touchedPages(runtime: Uint8Array, snapshot: Snapshot, shape: Shape): Promise<Set<number>> {
  const touched = new Uint8Array(2 ** 32 / PAGE)
  const note = (_id: number, bytes: number, offset: number, address: number): number => {
    const from = (address >>> 0) + (Number(offset) >>> 0)
    touched[Math.floor(from / PAGE)] = 1
    touched[Math.floor((from + bytes - 1) / PAGE)] = 1
    return address
  }
  const value = (_id: number, loaded: unknown): unknown => loaded
  const values = Object.fromEntries(
    ['load', 'store'].flatMap((kind) => ['i32', 'i64', 'f32', 'f64'].map((type) => [`${kind}_val_${type}`, value])),
  )
  const watch = { load_ptr: note, store_ptr: note, memory_grow_pre: value, memory_grow_post: value, ...values }
  await exerciseByEveryClock(starterOf(new WebAssembly.Module(withAccesses(runtime)), snapshot, watch), shape)
  return new Set(Array.from(touched.keys()).filter((page) => touched[page] === 1))
}

const starterOf =
  (module: WebAssembly.Module, snapshot: Snapshot, watch?: Parameters<typeof startFrom>[2]): Start =>
  async () => ({ runtime: await startFrom(module, snapshot, watch), state: snapshot.session })

/** The snapshot with those of its pages that hold anything and are `wanted`; the others that hold something count as pruned. */
function keepPages(snapshot: Snapshot, wanted: (page: number) => boolean): Snapshot {
  const memory = new Uint8Array(snapshot.pages * WASM_PAGE)
  for (let i = 0, from = 0; i < snapshot.kept.length; from += snapshot.kept[i + 1], i += 2)
    memory.set(snapshot.bytes.subarray(from, from + snapshot.kept[i + 1]), snapshot.kept[i])
  const filled = Array.from({ length: memory.length / PAGE }, (_, page) => page).filter((page) =>
    memory.subarray(page * PAGE, (page + 1) * PAGE).some((byte) => byte !== 0),
  )
  const kept = filled.filter(wanted)
  const bytes = new Uint8Array(kept.length * PAGE)
  for (const [i, page] of kept.entries()) bytes.set(memory.subarray(page * PAGE, (page + 1) * PAGE), i * PAGE)
  return { ...snapshot, kept: stretches(kept), bytes, pruned: stretches(filled.filter((page) => !wanted(page))) }
}

/** [address, length] of pages that follow one another, one after the other. */
function stretches(pages: readonly number[]): Uint32Array<ArrayBuffer> {
  const all: number[] = []
  for (const page of pages) {
    const last = all.length - 2
    if (last >= 0 && all[last] + all[last + 1] === page * PAGE) all[last + 1] += PAGE
    else all.push(page * PAGE, PAGE)
  }
  return Uint32Array.from(all)
}

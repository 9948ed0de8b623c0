import type { CodecTally } from './codec-tally.ts'
import { type FuzzEdge, openEdges } from './edge.ts'
import type { Row } from './request-run.ts'

/** A changed input that a reader should not have taken as it did, and by what it is drawn again. */
export type CodecFailure = { codec: string; seed: number; at: number; verdict: string; bytes: string }
export type CodecRun = { rows: Row[]; failures: CodecFailure[]; tallies: CodecTally[] }

/** So many are read in one request; one that does not come back within this long hangs. */
const AT_ONCE = 2000
const HANGS_AFTER_MS = 120_000
const COUNTER_TESTS = /^counter-test|without its hash$/

/** Runs so many mutations over all readers, in the runtime that they run in when deployed. */
export async function runCodecs(seed: number, mutations: number, tick?: (done: number) => void): Promise<CodecRun> {
  const edges = await openEdges()
  try {
    return await runCodecsOn(await edges.start('codecs'), seed, mutations, tick)
  } finally {
    await edges.close()
  }
}

/** As `runCodecs`, in a running runtime. @param wanted which of its readers; by default those without a fault of their own */
export async function runCodecsOn(
  { url }: FuzzEdge,
  seed: number,
  mutations: number,
  tick?: (done: number) => void,
  wanted = (name: string): boolean => !COUNTER_TESTS.test(name),
): Promise<CodecRun> {
  const names = ((await (await fetch(url)).json()) as string[]).filter(wanted)
  const each = Math.ceil(mutations / names.length)
  const tallies: CodecTally[] = []
  let done = 0
  for (const name of names) {
    const parts: CodecTally[] = []
    for (let from = 0; from < each; from += AT_ONCE) {
      const to = Math.min(each, from + AT_ONCE)
      parts.push(await part(url, name, seed, from, to))
      done += to - from
      tick?.(done)
    }
    tallies.push(parts.reduce(added))
  }
  const failures = tallies.flatMap(({ name, worst }) => (worst === null ? [] : [{ codec: name, seed, ...worst }]))
  return { rows: tallies.map(rowOf), failures, tallies }
}

async function part(url: string, name: string, seed: number, from: number, to: number): Promise<CodecTally> {
  const query = new URLSearchParams({ name, seed: String(seed), from: String(from), to: String(to) })
  try {
    const answer = await fetch(`${url}/?${query}`, { signal: AbortSignal.timeout(HANGS_AFTER_MS) })
    return (await answer.json()) as CodecTally
  } catch (error) {
    const worst = { at: from, verdict: `did not end: ${String(error)}`, bytes: '' }
    return { name, refused: 0, equal: 0, read: 0, wrong: 0, crashed: to - from, worst }
  }
}

const added = (a: CodecTally, b: CodecTally): CodecTally => ({
  name: a.name,
  refused: a.refused + b.refused,
  equal: a.equal + b.equal,
  read: a.read + b.read,
  wrong: a.wrong + b.wrong,
  crashed: a.crashed + b.crashed,
  worst: a.worst ?? b.worst,
})

function rowOf({ name, refused, equal, read, wrong, crashed }: CodecTally): Row {
  const survived = refused + equal + read
  return { fault: name, tried: survived + wrong + crashed, survived, lost: 0, doubled: 0, errors: wrong + crashed }
}

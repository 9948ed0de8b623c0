import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { ingest } from '../../batch/ingest.ts'
import { fetchEdgeEvents } from '../../batch/night/edge-events.ts'
import { edge } from '../../batch/sources/edge.ts'
import { openStores, stateOf } from '../../batch/stores/open-stores.ts'

/** How often each item stands in what a night would learn from. */
export type Counts = ReadonlyMap<string, number>

export type InputOptions = {
  /** Protections of the night that do not hold. */
  without?: readonly string[]
  /** False: what an earlier night has brought from the archive is all there is. */
  archive?: boolean
}

/**
 * What the next night's input is: the archive of `directory`'s local state, which nothing else may have open, brought and read
 * by the night's own code in a process of its own.
 * @throws Error when the process fails
 */
export async function nightInput(directory: string, { without = [], archive = true }: InputOptions = {}): Promise<Counts> {
  const hook = join(import.meta.dirname, 'weaken-node.ts')
  const child = spawn(
    process.execPath,
    [...(without.length > 0 ? ['--import', hook] : []), import.meta.filename, directory, ...(archive ? [stateOf(directory)] : [])],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NIGHTJAR_WITHOUT: JSON.stringify(without) } },
  )
  const [output, code] = await Promise.all([text(child.stdout), new Promise<number | null>((resolve) => child.once('exit', resolve))])
  if (code !== 0) throw new Error(`the night's input could not be read (exit code ${code})`)
  return new Map(JSON.parse(output) as [string, number][])
}

if (import.meta.main) process.stdout.write(JSON.stringify(await readInput(process.argv[2], process.argv[3])))

async function readInput(directory: string, persist: string | undefined): Promise<[string, number][]> {
  const archive = join(directory, 'edge-events')
  mkdirSync(archive, { recursive: true })
  if (persist !== undefined) {
    const stores = await openStores({ kind: 'local', persist })
    try {
      await fetchEdgeEvents(stores.blobs, archive, () => undefined)
    } finally {
      await stores.close()
    }
  }
  const { items, deeds } = await ingest([edge(archive)], { threads: 1, workDirectory: directory })
  const counts = new Map<string, number>()
  for (let i = 0; i < deeds.count; i++) {
    const { id } = items[deeds.item[i]]
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return [...counts]
}

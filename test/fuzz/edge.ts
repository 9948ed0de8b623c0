import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import getPort from 'get-port'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import { publish } from '../../batch/release/publish.ts'
import { type BuiltEdge, buildWorker, startWorker } from '../../scripts/built-edge.ts'
import { nightOn, smallShop } from '../e2e/server.ts'
import { SECRETS } from './known.ts'

/** The Worker as it is, and beside it one with faults, which the checks must find. */
const ENTRY = join(import.meta.dirname, 'worker/entry.ts')

/** Where there is one, objects commit to it: a disk takes 10 times as long, and nothing here is asked of a disk. */
const MEMORY_DISK = '/dev/shm'

export type FuzzEdge = BuiltEdge & { inspectorPort: number }

export type Entrypoint = 'direct' | 'faulty' | 'failing' | 'codecs' | 'routes'

/** Started Workers of one build, each on storage of its own; `close` stops them all. */
export type FuzzEdges = { start(entrypoint?: Entrypoint): Promise<FuzzEdge>; close(): Promise<void> }

/** Bundles the Worker once. */
export async function openEdges(): Promise<FuzzEdges> {
  const folder = mkdtempSync(join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'nightjar-fuzz-'))
  const running: BuiltEdge[] = []
  const close = async (): Promise<void> => {
    await Promise.all(running.map((edge) => edge.stop()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const built = await buildWorker(join(folder, 'worker'), ENTRY)
    return {
      async start(entrypoint = 'direct') {
        const inspectorPort = await getPort()
        const edge = await startWorker(built, SECRETS, {
          entrypoint,
          inspectorPort,
          persist: join(folder, entrypoint),
          output: new Writable({ write: (_chunk, _encoding, done) => done() }),
        })
        running.push(edge)
        return { ...edge, url: edge.url.replace(/\/$/, ''), inspectorPort }
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What a real night learned from the demo shop. */
export async function publishNight({ stores }: FuzzEdge): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-fuzz-night-'))
  try {
    await nightOn(stores, directory, await smallShop(directory))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A release whose numbers are drawn, in seconds. */
export async function publishMadeUp({ stores }: FuzzEdge, items = 2000): Promise<void> {
  const { manifest, packs } = await madeUpRelease(items, 1)
  await publish(stores.kv, stores.blobs, manifest, packs, Date.now())
}

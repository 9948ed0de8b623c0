import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { type NightReport, night } from '../../batch/night/night.ts'
import { shop } from '../../batch/sources/shop.ts'
import { generateShop } from '../../batch/sources/shop-generator.ts'
import type { Source } from '../../batch/sources/source.ts'
import { openStores, type Stores, stateOf } from '../../batch/stores/open-stores.ts'
import { startEdge } from '../../scripts/dev-server.ts'

/** 1 November 2026: a fixed end makes every run learn from the same history. */
const HISTORY_END = 1_793_491_200

export type TestEdge = { url: string; pid: number; directory: string; report: NightReport; stop(): Promise<void> }

/** The generated shop, small enough to be learnt from in seconds. */
export async function smallShop(directory: string): Promise<Source> {
  await generateShop(join(directory, 'shop'), { seed: 7, visitors: 1500, days: 60, end: HISTORY_END })
  return shop(join(directory, 'shop'), HISTORY_END * 1000)
}

/** Runs a real night on the source and publishes it into the local state of `directory`; nothing may have that state open. */
export async function publish(directory: string, source: Source): Promise<NightReport> {
  const stores = await openStores({ kind: 'local', persist: stateOf(directory) })
  try {
    return await nightOn(stores, directory, source)
  } finally {
    await stores.close()
  }
}

/** Runs a real night on the source and publishes it. */
export const nightOn = ({ kv, blobs }: Pick<Stores, 'kv' | 'blobs'>, directory: string, source: Source): Promise<NightReport> =>
  night({
    sources: [source],
    config: { ...readConfig(undefined), decisions: 2000, epochs: 4 },
    kv,
    blobs,
    directory,
    idKey: null,
    force: true,
    threads: 2,
    now: HISTORY_END * 1000,
    progress: silentProgress,
  })

/**
 * The real Worker under `wrangler dev`, on a free port, serving what a real night published. `stop` ends every process it
 * started and removes its folder.
 */
export async function startPublished(makeSource: (directory: string) => Promise<Source> = smallShop): Promise<TestEdge> {
  const directory = mkdtempSync(join(tmpdir(), 'nightjar-e2e-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  try {
    const report = await publish(directory, await makeSource(directory))
    const edge = await startEdge({
      port: await getPort(),
      state: stateOf(directory),
      variables: { CHANNEL_REFRESH_SECONDS: '1', ANSWER_WITHIN_MS: '60000' },
    })
    return {
      url: edge.url,
      pid: edge.pid,
      directory,
      report,
      async stop() {
        await edge.stop()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}

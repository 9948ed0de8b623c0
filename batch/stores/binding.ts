import { again } from './again.ts'
import { type BlobSource, NoSuchBlob } from './blob-source.ts'
import { inParallel } from './in-parallel.ts'
import type { KvSink } from './kv-sink.ts'
import { prepareFolder } from './local-folder.ts'
import type { Stores } from './open-stores.ts'

/** What the night needs of the Worker's bindings; the shapes are those of the platform. */
export type Bindings = {
  RELEASES: {
    get(key: string, type: 'arrayBuffer'): Promise<ArrayBuffer | null>
    list(options: { prefix: string; cursor?: string }): Promise<{ keys: { name: string }[]; list_complete: boolean; cursor?: string }>
    put(key: string, value: ArrayBufferView | string): Promise<void>
    delete(key: string): Promise<void>
  }
  EVENTS: Bucket
  EVENTS_EU?: Bucket
}

type Bucket = {
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>
  list(options: { prefix: string; cursor?: string }): Promise<{ objects: { key: string }[]; truncated: boolean; cursor?: string }>
  put(key: string, value: ArrayBufferView): Promise<unknown>
  delete(keys: string[]): Promise<void>
}

/** R2 takes no more keys in one call. */
const MOST_DELETES = 1000

/**
 * Local state, opened as `wrangler dev --persist-to <folder>` opens it. Only one process may have it open: with a dev
 * server running, use its REST endpoint instead.
 * @param persist absolute path of the folder given to `wrangler dev`
 */
export async function openBindings(persist: string, configPath: string): Promise<Stores> {
  prepareFolder(persist)
  // Loading wrangler takes a second, which commands that never come here should not wait for.
  const { getPlatformProxy } = await import('wrangler')
  // wrangler dev keeps its state in a subfolder named after the layout's version; the proxy takes that subfolder itself.
  const proxy = await getPlatformProxy<Bindings>({ configPath, persist: { path: `${persist}/v3` }, remoteBindings: false }).catch(
    (error: unknown) => {
      throw new Error(`${persist}: this state cannot be opened; delete it and run "npx nightjar nightly" again`, { cause: error })
    },
  )
  return storesOf(proxy.env, () => proxy.dispose())
}

/** The stores behind a Worker's bindings, however they were come by. */
export function storesOf({ RELEASES, EVENTS, EVENTS_EU }: Bindings, close: () => Promise<void>): Stores {
  const kv: KvSink = {
    async get(key) {
      const value = await again(() => RELEASES.get(key, 'arrayBuffer'))
      return value === null ? null : new Uint8Array(value)
    },
    async list(prefix) {
      const names: string[] = []
      let page = await again(() => RELEASES.list({ prefix }))
      names.push(...page.keys.map((key) => key.name))
      while (!page.list_complete && page.cursor !== undefined) {
        const { cursor } = page
        page = await again(() => RELEASES.list({ prefix, cursor }))
        names.push(...page.keys.map((key) => key.name))
      }
      return names.sort()
    },
    put: (entries) => inParallel(entries, ({ key, value }) => again(() => RELEASES.put(key, value))),
    delete: (keys) => inParallel(keys, (key) => again(() => RELEASES.delete(key))),
    close: () => Promise.resolve(),
  }
  return { kv, blobs: blobsIn(EVENTS), euBlobs: EVENTS_EU === undefined ? null : blobsIn(EVENTS_EU), close }
}

function blobsIn(bucket: Bucket): BlobSource {
  return {
    async list(prefix) {
      const keys: string[] = []
      let page = await again(() => bucket.list({ prefix }))
      keys.push(...page.objects.map((object) => object.key))
      while (page.truncated && page.cursor !== undefined) {
        const { cursor } = page
        page = await again(() => bucket.list({ prefix, cursor }))
        keys.push(...page.objects.map((object) => object.key))
      }
      return keys.sort()
    },
    async get(key) {
      const bytes = await again(async () => (await bucket.get(key))?.arrayBuffer())
      if (bytes === undefined) throw new NoSuchBlob(key)
      return new Uint8Array(bytes)
    },
    async put(key, bytes) {
      await again(() => bucket.put(key, bytes))
    },
    async delete(keys) {
      for (let i = 0; i < keys.length; i += MOST_DELETES) await again(() => bucket.delete(keys.slice(i, i + MOST_DELETES)))
    },
    close: () => Promise.resolve(),
  }
}

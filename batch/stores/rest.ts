import { setTimeout } from 'node:timers/promises'
import { type BlobSource, NoSuchBlob } from './blob-source.ts'
import { inParallel } from './in-parallel.ts'
import type { KvSink } from './kv-sink.ts'
import type { Stores } from './open-stores.ts'
import { RestClient, type RestOptions } from './rest-client.ts'

export type RestTarget = RestOptions & {
  kvNamespace: string
  bucket: string
  /** The bucket in the EU's jurisdiction, where there is one. */
  euBucket?: string | null
  /** The dev server's routes take an object's key as one path segment, the API's as the rest of the path. */
  keysAreOneSegment: boolean
}

/** The API takes 10,000 pairs and 100 MB a call; base64 adds a third, and a smaller call is cheaper to repeat. */
const MOST_PAIRS = 10_000
const MOST_BYTES = 16 * 1024 * 1024
/** How often keys that the API reports as not written are written again. */
const ROUNDS = 5

type BulkResult = { successful_key_count?: number; unsuccessful_keys?: string[] }
type Pair = { key: string; value: string; base64: boolean }

/** KV and R2 over the REST API, as deployments and the local dev server offer it. */
export function openRest(target: RestTarget): Stores {
  const client = new RestClient(target)
  const { bucket, euBucket = null } = target
  // The API looks for a bucket in the jurisdiction that it is told.
  const euClient = new RestClient({ ...target, headers: { 'cf-r2-jurisdiction': 'eu' } })
  return {
    kv: restKv(client, target),
    blobs: restBlobs(client, target, bucket),
    euBlobs: euBucket === null ? null : unlessMissing(euClient, restBlobs(euClient, target, euBucket), euBucket),
    close: () => Promise.resolve(),
  }
}

function restKv(client: RestClient, { kvNamespace, firstPauseMs = 500 }: RestTarget): KvSink {
  const base = `/storage/kv/namespaces/${kvNamespace}`
  return {
    get: (key) => client.bytes('GET', `${base}/values/${encodeURIComponent(key)}`),
    async list(prefix) {
      const names: string[] = []
      let cursor = ''
      do {
        const query = new URLSearchParams({ prefix, ...(cursor === '' ? {} : { cursor }) })
        const page = await client.json<{ name: string }[]>('GET', `${base}/keys?${query}`)
        names.push(...page.result.map((key) => key.name))
        cursor = page.result_info?.cursor ?? ''
      } while (cursor !== '')
      return names.sort()
    },
    async put(entries) {
      for (const batch of batches(entries.map(pairOf))) {
        await untilAllDone(
          batch,
          (pair) => pair.key,
          (pairs) => client.json<BulkResult>('PUT', `${base}/bulk`, pairs),
          firstPauseMs,
        )
      }
    },
    async delete(keys) {
      for (let i = 0; i < keys.length; i += MOST_PAIRS) {
        await untilAllDone(
          keys.slice(i, i + MOST_PAIRS),
          (key) => key,
          (part) => client.json<BulkResult>('POST', `${base}/bulk/delete`, part),
          firstPauseMs,
        )
      }
    },
    close: () => Promise.resolve(),
  }
}

/** Repeats a bulk call with the keys it reports as unsuccessful. @throws Error that names some when they do not get fewer */
async function untilAllDone<T>(
  jobs: T[],
  keyOf: (job: T) => string,
  call: (jobs: T[]) => Promise<{ result: BulkResult }>,
  pauseMs: number,
): Promise<void> {
  let left = jobs
  for (let round = 0; round < ROUNDS && left.length > 0; round++) {
    if (round > 0) await setTimeout(pauseMs * 2 ** (round - 1))
    const failed = new Set((await call(left)).result.unsuccessful_keys ?? [])
    left = left.filter((job) => failed.has(keyOf(job)))
  }
  if (left.length > 0)
    throw new Error(`${left.length} keys could not be written after ${ROUNDS} tries, ${keyOf(left[0])} among them; run the night again`)
}

const pairOf = ({ key, value }: { key: string; value: Uint8Array | string }): Pair =>
  typeof value === 'string'
    ? { key, value, base64: false }
    : { key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'), base64: true }

function* batches(pairs: Pair[]): Generator<Pair[]> {
  let batch: Pair[] = []
  let bytes = 0
  for (const pair of pairs) {
    if (batch.length > 0 && (batch.length === MOST_PAIRS || bytes + pair.value.length > MOST_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(pair)
    bytes += pair.value.length
  }
  if (batch.length > 0) yield batch
}

/**
 * A deployment from before there was a bucket in the EU has none until it is deployed again, and nothing that could be in it:
 * its list is empty. That is said once.
 */
function unlessMissing(client: RestClient, blobs: BlobSource, bucket: string): BlobSource {
  let found: Promise<boolean> | null = null
  const isThere = async (): Promise<boolean> => {
    const there = (await client.bytes('GET', `${pathOfBucket(bucket)}?per_page=1`)) !== null
    if (!there)
      process.stderr.write(
        `nightjar: there is no bucket ${bucket}; "npm run deploy" makes it, and until then the events of EU visitors lie with all others\n`,
      )
    return there
  }
  return {
    ...blobs,
    async list(prefix) {
      found ??= isThere()
      return (await found) ? blobs.list(prefix) : []
    },
  }
}

const pathOfBucket = (bucket: string): string => `/r2/buckets/${bucket}/objects`

function restBlobs(client: RestClient, { keysAreOneSegment }: RestTarget, bucket: string): BlobSource {
  const base = pathOfBucket(bucket)
  const pathOf = (key: string): string =>
    `${base}/${keysAreOneSegment ? encodeURIComponent(key) : key.split('/').map(encodeURIComponent).join('/')}`
  return {
    async list(prefix) {
      const keys: string[] = []
      let cursor: string | undefined
      do {
        const query = new URLSearchParams({ prefix, ...(cursor === undefined ? {} : { cursor }) })
        const page = await client.json<{ key: string }[]>('GET', `${base}?${query}`)
        keys.push(...page.result.map((object) => object.key))
        cursor = String(page.result_info?.is_truncated) === 'true' ? page.result_info?.cursor : undefined
      } while (cursor !== undefined)
      return keys.sort()
    },
    async get(key) {
      const bytes = await client.bytes('GET', pathOf(key))
      if (bytes === null) throw new NoSuchBlob(key)
      return bytes
    },
    async put(key, bytes) {
      const answer = await client.bytes('PUT', pathOf(key), Uint8Array.from(bytes))
      if (answer === null) throw new Error(`bucket ${bucket} does not exist; "npm run deploy" makes it`)
    },
    delete: (keys) => inParallel(keys, (key) => client.bytes('DELETE', pathOf(key))),
    close: () => Promise.resolve(),
  }
}

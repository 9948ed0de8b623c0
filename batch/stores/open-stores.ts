import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '../sources/source.ts'
import { openBindings } from './binding.ts'
import type { BlobSource } from './blob-source.ts'
import { liveDevServer } from './dev-server.ts'
import type { KvSink } from './kv-sink.ts'
import { openRest, type RestTarget } from './rest.ts'

/** `euBlobs`: where what visitors of the EU did is archived; null where it lies with everything else. */
export type Stores = { kv: KvSink; blobs: BlobSource; euBlobs: BlobSource | null; close(): Promise<void> }
export type StoreTarget = { kind: 'local'; persist: string } | ({ kind: 'rest' } & RestTarget)

const ROOT = join(import.meta.dirname, '../..')
/** As wrangler.toml names them; local state knows namespaces and buckets by these. */
const LOCAL_NAMESPACE = 'nightjar-releases'
const BUCKET = 'nightjar-events'

/** Where `wrangler dev --persist-to` keeps its state for this directory. */
export const stateOf = (directory: string): string => join(directory, 'state')

/**
 * Which KV and R2 to work on: Cloudflare's own with `remote`; else a dev server that has this directory's state open;
 * else that state itself. @throws InputError when a remote target is asked for and not described
 */
export async function findTarget({ remote, directory }: { remote: boolean; directory: string }): Promise<StoreTarget> {
  if (remote) return remoteTarget(process.env)
  const server = await liveDevServer(directory)
  if (server === null) return { kind: 'local', persist: stateOf(directory) }
  return {
    kind: 'rest',
    baseUrl: `${server.url}/cdn-cgi/local/explorer/api`,
    token: null,
    kvNamespace: LOCAL_NAMESPACE,
    bucket: BUCKET,
    euBucket: euBucket(),
    keysAreOneSegment: true,
  }
}

export const openStores = async (target: StoreTarget): Promise<Stores> =>
  target.kind === 'local' ? openBindings(target.persist, join(import.meta.dirname, 'wrangler.storage.toml')) : openRest(target)

function remoteTarget(environment: NodeJS.ProcessEnv): StoreTarget {
  const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_ACCOUNT_ID: account } = environment
  const kvNamespace = environment.NIGHTJAR_KV_NAMESPACE ?? deployedNamespace()
  if (!token || !account) throw new InputError('--remote needs CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID in the environment')
  if (!kvNamespace) throw new InputError('--remote needs the KV namespace: run "npm run deploy" first, or set NIGHTJAR_KV_NAMESPACE')
  return {
    kind: 'rest',
    baseUrl: `https://api.cloudflare.com/client/v4/accounts/${account}`,
    token,
    kvNamespace,
    bucket: environment.NIGHTJAR_BUCKET ?? BUCKET,
    euBucket: environment.NIGHTJAR_EU_BUCKET ?? euBucket(),
    keysAreOneSegment: false,
  }
}

/** The bucket that wrangler.toml binds as EVENTS_EU; null where it has no such block. */
function euBucket(): string | null {
  const text = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
  return /^binding = "EVENTS_EU"\nbucket_name = "([^"]+)"/m.exec(text)?.[1] ?? null
}

/** The namespace id that `npm run deploy` wrote down. */
function deployedNamespace(): string | undefined {
  const file = join(ROOT, 'wrangler.deploy.toml')
  if (!existsSync(file)) return undefined
  return /binding = "RELEASES"\nid = "([0-9a-f]{32})"/.exec(readFileSync(file, 'utf8'))?.[1]
}

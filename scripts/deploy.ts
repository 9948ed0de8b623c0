import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { buildOnnx } from '../batch/onnx/build.ts'
import { copyLiveRelease } from '../batch/release/copy-release.ts'
import { readChannel } from '../batch/release/release-store.ts'
import { InputError } from '../batch/sources/source.ts'
import { findTarget, openStores } from '../batch/stores/open-stores.ts'
import { deployConfig } from './deploy-config.ts'
import { MODEL_VARIABLE } from './model-variable.ts'
import { parseOptions } from './parse-options.ts'
import { newSecrets } from './secrets.ts'
import { WranglerError, wrangler, wranglerRecords } from './wrangler.ts'

const ROOT = join(import.meta.dirname, '..')
const CONFIG = join(ROOT, 'wrangler.toml')
const DEPLOY_CONFIG = join(ROOT, 'wrangler.deploy.toml')
/** Cloudflare tells nobody a secret again; what the site's backend and an admin need is kept here. */
const KEPT_SECRETS = join(ROOT, '.dev.vars.deployed')
const ARCHIVE_DAYS = 30
/** What is kept only to look back at. */
const EXPIRING = ['releases', 'overlays']
const PATIENCE_MS = 120_000

const HELP = `npm run deploy           put this project on your Cloudflare account (docs/deploy.md)
  -- --dry-run           say what would be done, and do nothing
  -- --publish           publish the local release even where the deployment has one
  -- --url <address>     where the deployment answers, if not where wrangler says
  -- --directory <d>     whose local release to publish, instead of .nightjar
  -- --model <file>      rank with this ONNX graph instead of the ranker's own (docs/serving.md)
`

const { values: options } = parseOptions({
  options: {
    'dry-run': { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    url: { type: 'string' },
    directory: { type: 'string', default: join(ROOT, '.nightjar') },
    model: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const { name, kv_namespaces, r2_buckets, secrets } = unstable_readConfig({ config: CONFIG }, { hideWarnings: true })
const worker = name ?? 'nightjar'
const namespaceTitle = kv_namespaces[0]?.id ?? 'nightjar-releases'
const bucketBound = (binding: string): string | undefined =>
  r2_buckets.find((one: { binding: string; bucket_name?: string }) => one.binding === binding)?.bucket_name
const bucket = bucketBound('EVENTS') ?? 'nightjar-events'
const euBucket = bucketBound('EVENTS_EU')
const needed: string[] = secrets?.required ?? []

type Account = { id: string; token: string }

/** What the steps learn from each other. */
type Deployment = {
  account: Account
  environment: Record<string, string>
  namespace: string
  secrets: Record<string, string>
  released: boolean
  url: string
}
type Step = { plan: string; run(deployment: Deployment): Promise<string> }

/** In this order, because an edge that is asked before there is a release remembers for a while that there is none. */
const STEPS: Step[] = [
  { plan: 'check the login (wrangler whoami) and pick the account', run: signIn },
  { plan: `create the KV namespace "${namespaceTitle}" unless it exists`, run: ensureNamespace },
  {
    plan: `create the R2 bucket "${bucket}" unless it exists, and let its ${EXPIRING.map((prefix) => `${prefix}/`).join(', ')} expire after ${ARCHIVE_DAYS} days`,
    run: ensureBucket,
  },
  ...(euBucket === undefined
    ? []
    : [
        {
          plan: `create the R2 bucket "${euBucket}" in the EU's jurisdiction unless it exists`,
          run: async ({ environment }: Deployment) =>
            (await createBucket(euBucket, ['--jurisdiction', 'eu'], environment)) ? 'created' : 'exists',
        },
      ]),
  { plan: 'write wrangler.deploy.toml: wrangler.toml with the ids of this account', run: writeConfig },
  { plan: `generate those of the secrets ${needed.join(', ')} that are not set; none that is set is touched`, run: missingSecrets },
  {
    plan: `publish the local release through the REST API ${options.publish ? '' : 'unless the deployment has one'}`.trim(),
    run: publishRelease,
  },
  { plan: `deploy the Worker "${worker}" with the missing secrets`, run: deploy },
  { plan: 'ask the deployment for /readyz and for a list', run: verify },
]

if (options.help) process.stdout.write(HELP)
else process.exitCode = await main()

async function main(): Promise<number> {
  const deployment: Deployment = {
    account: { id: '', token: '' },
    environment: {},
    namespace: '',
    secrets: {},
    released: false,
    url: options.url ?? '',
  }
  if (options.model !== undefined) {
    try {
      process.stdout.write(`${(await buildOnnx(options.model)).line}\n`)
    } catch (error) {
      process.stderr.write(`deploy: ${error instanceof Error ? error.message : String(error)}\n`)
      return error instanceof InputError ? 2 : 1
    }
  }
  for (const [i, { plan, run }] of STEPS.entries()) {
    process.stdout.write(`${i + 1}. ${plan}\n`)
    if (options['dry-run']) continue
    try {
      process.stdout.write(`   ${await run(deployment)}\n`)
    } catch (error) {
      process.stderr.write(`deploy: ${error instanceof Error ? error.message : String(error)}\n`)
      return 1
    }
  }
  if (options['dry-run']) process.stdout.write('Dry run: nothing was done, and nothing was asked.\n')
  return 0
}

async function signIn(deployment: Deployment): Promise<string> {
  const user: { accounts: { id: string; name: string }[] } = JSON.parse(
    await wrangler(['whoami', '--json']).catch(() => {
      throw new Error('not logged in to Cloudflare, or not reachable: run "npx wrangler login", or set CLOUDFLARE_API_TOKEN')
    }),
  )
  const wanted = process.env.CLOUDFLARE_ACCOUNT_ID
  const accounts = user.accounts.filter(({ id }) => !wanted || id === wanted)
  const [account] = accounts
  const listed = user.accounts.map((one) => `${one.id} (${one.name})`).join(', ')
  if (account === undefined) throw new Error(`this login has no account ${wanted ?? 'at all'}; it has: ${listed}`)
  if (accounts.length > 1) throw new Error(`this login has several accounts; set CLOUDFLARE_ACCOUNT_ID to one of: ${listed}`)
  const { token }: { token?: string } = JSON.parse(await wrangler(['auth', 'token', '--json']))
  if (token === undefined) throw new Error('the REST API needs a token, not a global key: set CLOUDFLARE_API_TOKEN')
  deployment.account = { id: account.id, token }
  deployment.environment = { CLOUDFLARE_ACCOUNT_ID: account.id }
  return `account ${account.name} (${account.id})`
}

async function ensureNamespace(deployment: Deployment): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const all: { id: string; title: string }[] = JSON.parse(await wrangler(['kv', 'namespace', 'list'], deployment.environment))
    return all.find(({ title }) => title === namespaceTitle)?.id
  }
  const found = await find()
  if (found === undefined) await wrangler(['kv', 'namespace', 'create', namespaceTitle], deployment.environment)
  const id = found ?? (await find())
  if (id === undefined) throw new Error(`KV namespace "${namespaceTitle}" was created but is not listed yet; run this again in a minute`)
  deployment.namespace = id
  return `${found === undefined ? 'created' : 'exists'}: ${id}`
}

async function ensureBucket({ environment }: Deployment): Promise<string> {
  const created = await createBucket(bucket, [], environment)
  const rules = await wrangler(['r2', 'bucket', 'lifecycle', 'list', bucket], environment)
  const days = String(ARCHIVE_DAYS)
  for (const prefix of EXPIRING) {
    const rule = `nightjar-${prefix}`
    if (!rules.includes(rule))
      await wrangler(['r2', 'bucket', 'lifecycle', 'add', bucket, rule, `${prefix}/`, '--expire-days', days, '--force'], environment)
  }
  return created ? 'created' : 'exists'
}

/** @returns false where it was there */
const createBucket = (name: string, more: string[], environment: Record<string, string>): Promise<boolean> =>
  wrangler(['r2', 'bucket', 'create', name, ...more], environment).then(
    () => true,
    (error: unknown) => {
      if (error instanceof WranglerError && /already exists|already own|10004/.test(error.message)) return false
      throw error
    },
  )

function writeConfig({ namespace }: Deployment): Promise<string> {
  writeFileSync(DEPLOY_CONFIG, deployConfig(readFileSync(CONFIG, 'utf8'), { namespace }))
  return Promise.resolve('written')
}

async function missingSecrets(deployment: Deployment): Promise<string> {
  const list = await wrangler(['secret', 'list', '--config', DEPLOY_CONFIG], deployment.environment).catch((error: unknown) => {
    // Before the first deployment there is no Worker that could have any.
    if (error instanceof WranglerError && /10007|not found|does not exist/i.test(error.message)) return '[]'
    throw error
  })
  const set = new Set((JSON.parse(list) as { name: string }[]).map((secret) => secret.name))
  const missing = needed.filter((secret) => !set.has(secret))
  if (missing.length === 0) return 'all are set'
  // Values of a deployment that failed halfway are used again.
  const kept = existsSync(KEPT_SECRETS) ? parseEnv(readFileSync(KEPT_SECRETS, 'utf8')) : {}
  const fresh = newSecrets()
  for (const secret of missing) {
    const value = kept[secret] ?? fresh[secret]
    if (value === undefined) throw new Error(`no value is known for the secret ${secret}; set it with "npx wrangler secret put ${secret}"`)
    deployment.secrets[secret] = value
  }
  const lines = Object.entries({ ...kept, ...deployment.secrets }).map(([secret, value]) => `${secret}=${value}\n`)
  writeFileSync(
    KEPT_SECRETS,
    `# The deployment’s secrets. Cloudflare does not show them again: keep this file, and to yourself.\n${lines.join('')}`,
    {
      mode: 0o600,
    },
  )
  return `to be set: ${missing.join(', ')}; kept in .dev.vars.deployed`
}

async function publishRelease(deployment: Deployment): Promise<string> {
  const { account, namespace } = deployment
  const remote = await openStores({
    kind: 'rest',
    baseUrl: `https://api.cloudflare.com/client/v4/accounts/${account.id}`,
    token: account.token,
    kvNamespace: namespace,
    bucket,
    keysAreOneSegment: false,
  })
  const there = await readChannel(remote.kv)
  deployment.released = there !== null
  if (there !== null && !options.publish) return `${there.stable.release} stays live; --publish replaces it by the local one`
  const local = await openStores(await findTarget({ remote: false, directory: resolve(options.directory) }))
  try {
    const published = await copyLiveRelease(local, remote, Date.now())
    if (published === null) return 'there is no local release; make one with "npx nightjar nightly --remote --source …"'
    deployment.released = true
    return `${published.release} is live (${published.kvWrites} KV writes)`
  } finally {
    await local.close()
  }
}

async function deploy(deployment: Deployment): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-deploy-'))
  try {
    const file = join(folder, 'secrets.json')
    writeFileSync(file, JSON.stringify(deployment.secrets), { mode: 0o600 })
    const withSecrets = Object.keys(deployment.secrets).length > 0 ? ['--secrets-file', file] : []
    const model = options.model === undefined ? {} : { [MODEL_VARIABLE]: resolve(options.model) }
    const environment = { ...deployment.environment, ...model }
    const records = await wranglerRecords(['deploy', '--config', DEPLOY_CONFIG, ...withSecrets], environment)
    const targets = records.find(({ type }) => type === 'deploy')?.targets
    // Targets name schedules too.
    const host = Array.isArray(targets) ? targets.map(String).find((target) => /^(https:\/\/)?[\w-]+(\.[\w-]+)+$/.test(target)) : undefined
    if (deployment.url === '' && host !== undefined) deployment.url = host.startsWith('https://') ? host : `https://${host}`
    return `deployed${deployment.url === '' ? '' : `: ${deployment.url}`}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function verify({ url, released }: Deployment): Promise<string> {
  if (url === '') throw new Error('deployed, but wrangler names no address; enable workers.dev or add a route, or give --url')
  // Without a release the edge is healthy and, rightly, not ready.
  const probe = `${url}${released ? '/readyz' : '/healthz'}`
  const deadline = Date.now() + PATIENCE_MS
  let last = 'no answer'
  while (Date.now() < deadline) {
    last = await fetch(probe).then(
      async (answer) => (answer.ok ? 'well' : `${answer.status} ${(await answer.text()).slice(0, 200)}`),
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    if (last === 'well') break
    await setTimeout(3000)
  }
  if (last !== 'well') throw new Error(`deployed, but ${probe} has not been well for ${PATIENCE_MS / 1000} s: ${last}`)
  if (!released) return 'up, and waiting for its first release'
  const answer = await fetch(`${url}/v1/lists/GB/popular`)
  const list = (answer.ok ? await answer.json() : {}) as { items?: unknown[]; rung?: string }
  if (!list.items?.length) throw new Error(`deployed, but ${url}/v1/lists/GB/popular answers ${answer.status} without items`)
  return `ready; ${list.items.length} items in the list of GB (${list.rung})`
}

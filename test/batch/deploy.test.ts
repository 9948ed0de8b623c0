import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyLiveRelease } from '../../batch/release/copy-release.ts'
import { packsOf, readChannel } from '../../batch/release/release-store.ts'
import { openStores } from '../../batch/stores/open-stores.ts'
import { deployConfig } from '../../scripts/deploy-config.ts'
import { buildTinyRelease } from '../edge/fixtures/tiny-release.ts'

const ROOT = join(import.meta.dirname, '../..')
const home = mkdtempSync(join(tmpdir(), 'nightjar-deploy-test-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Runs `npm run deploy` as someone who has never logged in, against an API that only counts who calls. */
async function deploy(
  options: string[],
  environment: Record<string, string> = {},
): Promise<{ code: number | null; text: string; calls: number }> {
  let calls = 0
  const api = createServer((_, answer) => {
    calls++
    answer.writeHead(403, { 'content-type': 'application/json' })
    answer.end(JSON.stringify({ success: false, errors: [{ code: 9109, message: 'Invalid access token' }], messages: [], result: null }))
  })
  await new Promise<void>((done) => api.listen(0, '127.0.0.1', done))
  const child = spawn(process.execPath, ['scripts/deploy.ts', ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CONFIG_HOME: home,
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}/client/v4`,
      ...environment,
    },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  await new Promise((done) => api.close(done))
  return { code, text, calls }
}

describe('npm run deploy', () => {
  it('with --dry-run prints every step and touches nothing', async () => {
    const before = existsSync(join(ROOT, 'wrangler.deploy.toml'))
    const { code, text, calls } = await deploy(['--dry-run'], { CLOUDFLARE_API_TOKEN: 'token' })
    expect(code).toBe(0)
    for (const word of [
      'whoami',
      'KV namespace "nightjar-releases"',
      'R2 bucket "nightjar-events"',
      'R2 bucket "nightjar-events-eu" in the EU',
      'ADMIN_KEY',
      'publish',
      'deploy',
      '/readyz',
    ])
      expect(text).toContain(word)
    expect(calls).toBe(0)
    expect(existsSync(join(ROOT, 'wrangler.deploy.toml'))).toBe(before)
  })

  it('without a login ends with one line that says what to do', async () => {
    const { code, text, calls } = await deploy([])
    expect(code).toBe(1)
    expect(text).toMatch(/^deploy: not logged in [^\n]*npx wrangler login[^\n]*$/m)
    expect(text).not.toContain('KV namespace')
    expect(calls).toBe(0)
  })

  it('with a token that the API refuses goes no further', async () => {
    const { code, text, calls } = await deploy([], { CLOUDFLARE_API_TOKEN: 'refused' })
    expect(code).toBe(1)
    expect(text).toMatch(/^deploy: not logged in [^\n]*CLOUDFLARE_API_TOKEN[^\n]*$/m)
    expect(text).not.toContain('KV namespace')
    expect(calls).toBeGreaterThan(0)
  })
})

describe('deployConfig', () => {
  it('puts the namespace’s id where the local name was, and changes nothing else', () => {
    const text = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
    const id = '0123456789abcdef0123456789abcdef'
    const deployed = deployConfig(text, { namespace: id })
    expect(deployed).toContain(`binding = "RELEASES"\nid = "${id}"`)
    expect(deployed.split('\n').slice(1).join('\n').replace(id, 'nightjar-releases')).toBe(text)
  })

  it('refuses a configuration without the namespace', () => {
    expect(() => deployConfig('name = "x"', { namespace: 'id' })).toThrow('binds no RELEASES namespace')
  })
})

describe('copyLiveRelease', () => {
  it('publishes in one place what is live in another', async () => {
    const from = await openStores({ kind: 'local', persist: join(home, 'from') })
    const to = await openStores({ kind: 'local', persist: join(home, 'to') })
    expect(await copyLiveRelease(from, to, 1)).toBeNull()
    const { entries, entry, manifest } = await buildTinyRelease()
    await from.kv.put([...entries].map(([key, value]) => ({ key, value })))
    expect(await copyLiveRelease(from, to, 1)).toMatchObject({ release: entry.release, changed: true })
    expect((await readChannel(to.kv))?.stable.release).toBe(entry.release)
    for (const hash of packsOf(manifest)) expect(await to.kv.get(`pack/${hash}`)).toEqual(await from.kv.get(`pack/${hash}`))
    await from.kv.delete([`pack/${packsOf(manifest)[0]}`])
    await expect(copyLiveRelease(from, to, 2)).rejects.toThrow('run a night first')
    await from.close()
    await to.close()
  })
})

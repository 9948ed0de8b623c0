import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { InputError } from '../../batch/sources/source.ts'
import { forgetDevServer, liveDevServer, readDevServer, recordDevServer } from '../../batch/stores/dev-server.ts'
import { findTarget } from '../../batch/stores/open-stores.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-target-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

/** The id of a process that has ended. */
const pastPid = (): number => spawnSync(process.execPath, ['--version']).pid

it('is the local state when no dev server is recorded, or the recorded one has ended', async () => {
  const local = { kind: 'local', persist: join(directory, 'state') }
  expect(await findTarget({ remote: false, directory })).toEqual(local)
  recordDevServer(directory, { url: 'http://127.0.0.1:9', pid: pastPid() })
  expect(await findTarget({ remote: false, directory })).toEqual(local)
})

it('is the REST endpoint of a dev server that has the state open', async () => {
  const server = createServer((_, answer) => answer.end('{}'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  recordDevServer(directory, { url, pid: process.pid })
  expect(await findTarget({ remote: false, directory })).toMatchObject({ kind: 'rest', baseUrl: `${url}/cdn-cgi/local/explorer/api` })
  await new Promise((done) => server.close(done))
})

it('takes a refusing server for one that is starting, until it has had its time', async () => {
  recordDevServer(directory, { url: `http://127.0.0.1:${await getPort()}`, pid: process.pid })
  expect(await liveDevServer(directory)).not.toBeNull()
  const longAgo = Date.now() / 1000 - 3600
  utimesSync(join(directory, 'dev.json'), longAgo, longAgo)
  expect(await liveDevServer(directory)).toBeNull()
  expect(readDevServer(directory)).not.toBeNull()
  forgetDevServer(directory)
  expect(readDevServer(directory)).toBeNull()
})

it('asks in one line for what a remote target needs', async () => {
  vi.stubEnv('CLOUDFLARE_API_TOKEN', '')
  const missing = findTarget({ remote: true, directory })
  await expect(missing).rejects.toThrow(InputError)
  await expect(missing).rejects.toThrow('--remote needs CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID in the environment')
})

it('is the account’s API for a remote target', async () => {
  vi.stubEnv('CLOUDFLARE_API_TOKEN', 'token')
  vi.stubEnv('CLOUDFLARE_ACCOUNT_ID', 'account')
  vi.stubEnv('NIGHTJAR_KV_NAMESPACE', '0123456789abcdef0123456789abcdef')
  expect(await findTarget({ remote: true, directory })).toEqual({
    kind: 'rest',
    baseUrl: 'https://api.cloudflare.com/client/v4/accounts/account',
    token: 'token',
    kvNamespace: '0123456789abcdef0123456789abcdef',
    bucket: 'nightjar-events',
    euBucket: 'nightjar-events-eu',
    keysAreOneSegment: false,
  })
})

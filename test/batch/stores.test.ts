import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { openStores, type Stores, type StoreTarget } from '../../batch/stores/open-stores.ts'
import { type RunningEdge, startEdge } from '../../scripts/dev-server.ts'
import { startPerturbingProxy } from './support/perturbing-proxy.ts'
import { restFaults } from './support/rest-faults.ts'
import { blobContract, kvContract } from './support/stores-contract.ts'

const directory = mkdtempSync(join(tmpdir(), 'nightjar-stores-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const restOf = (url: string): StoreTarget => ({
  kind: 'rest',
  baseUrl: `${url}/cdn-cgi/local/explorer/api`,
  token: null,
  kvNamespace: 'nightjar-releases',
  bucket: 'nightjar-events',
  euBucket: 'nightjar-events-eu',
  keysAreOneSegment: true,
  firstPauseMs: 20,
})

describe('local state through bindings', () => {
  let stores: Stores
  beforeAll(async () => {
    stores = await openStores({ kind: 'local', persist: join(directory, 'bindings') })
  })
  afterAll(() => stores.close())
  kvContract(() => stores)
  blobContract(() => stores)
})

describe('the REST API, as the dev server offers it', () => {
  const persist = join(directory, 'served')
  let edge: RunningEdge
  let stores: Stores
  beforeAll(async () => {
    const local = await openStores({ kind: 'local', persist })
    await local.kv.put([{ key: 'before', value: 'written through the binding' }])
    await local.blobs.put('before/object', Buffer.from('written through the binding'))
    await local.euBlobs?.put('before/eu-object', Buffer.from('written in the EU'))
    await local.close()
    edge = await startEdge({ port: await getPort(), state: persist })
    stores = await openStores(restOf(edge.url))
  })
  afterAll(() => edge?.stop())

  it('reads what was written through the binding', async () => {
    expect(Buffer.from((await stores.kv.get('before')) ?? []).toString()).toBe('written through the binding')
    expect(Buffer.from(await stores.blobs.get('before/object')).toString()).toBe('written through the binding')
  })

  it('reads the EU’s bucket beside the other, and asks for it in the EU’s jurisdiction', async () => {
    const proxy = await startPerturbingProxy(edge.url)
    try {
      const { blobs, euBlobs } = await openStores(restOf(proxy.url))
      expect(await euBlobs?.list('before/')).toEqual(['before/eu-object'])
      expect(Buffer.from((await euBlobs?.get('before/eu-object')) ?? []).toString()).toBe('written in the EU')
      expect(await blobs.list('before/')).toEqual(['before/object'])
      const asked = proxy.seen.map(({ path, headers }) => [path.includes('nightjar-events-eu'), headers['cf-r2-jurisdiction']])
      expect(new Set(asked.map(String))).toEqual(new Set(['true,eu', 'false,']))
    } finally {
      await proxy.close()
    }
  })

  it('takes a bucket that was not made yet for an empty one, and says so once', async () => {
    const proxy = await startPerturbingProxy(edge.url)
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      // As the API answers; the dev server calls every bucket empty that it does not know.
      proxy.perturb(({ path }, answer) => {
        if (!path.includes('nightjar-events-eu')) return false
        answer.writeHead(404, { 'content-type': 'application/json' })
        answer.end(
          JSON.stringify({ success: false, errors: [{ code: 10006, message: 'The specified bucket does not exist.' }], result: null }),
        )
        return true
      })
      const { blobs, euBlobs } = await openStores(restOf(proxy.url))
      expect([await euBlobs?.list('events/'), await euBlobs?.list('quarantine/')]).toEqual([[], []])
      expect(
        said.mock.calls.filter(([line]) => String(line).includes('there is no bucket nightjar-events-eu; "npm run deploy"')),
      ).toHaveLength(1)
      expect(await blobs.list('before/')).toEqual(['before/object'])
    } finally {
      said.mockRestore()
      await proxy.close()
    }
  })
  kvContract(() => stores)
  blobContract(() => stores)
  describe('on a bad day', () => restFaults(() => edge.url))

  it('writes what the binding reads once the server has stopped', async () => {
    await stores.kv.put([{ key: 'after', value: 'written through REST' }])
    await stores.blobs.put('after/object', Buffer.from('written through REST'))
    await edge.stop()
    const local = await openStores({ kind: 'local', persist })
    expect(Buffer.from((await local.kv.get('after')) ?? []).toString()).toBe('written through REST')
    expect(Buffer.from(await local.blobs.get('after/object')).toString()).toBe('written through REST')
    await local.close()
  })
})

import type { ServerResponse } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openStores, type Stores } from '../../../batch/stores/open-stores.ts'
import { type PerturbingProxy, passOn, type Seen, startPerturbingProxy } from './perturbing-proxy.ts'

const API = '/cdn-cgi/local/explorer/api'

/** What the REST drivers must do when the API, here a dev server behind a perturbing proxy, has a bad day. */
export function restFaults(upstream: () => string): void {
  let proxy: PerturbingProxy
  let stores: Stores
  beforeAll(async () => {
    proxy = await startPerturbingProxy(upstream())
    stores = await openStores({
      kind: 'rest',
      baseUrl: `${proxy.url}${API}`,
      token: 'secret-token',
      kvNamespace: 'nightjar-releases',
      bucket: 'nightjar-events',
      keysAreOneSegment: true,
      retries: 3,
      firstPauseMs: 10,
    })
  })
  afterEach(() => proxy.perturb(passOn))
  afterAll(() => proxy.close())

  const failure = (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => new Error('no failure at all'),
      (error: Error) => error,
    )

  it('sends the token', async () => {
    proxy.perturb(passOn)
    await stores.kv.list('none')
    expect(proxy.seen[0]?.headers.authorization).toBe('Bearer secret-token')
  })

  it('waits as long as Retry-After says, then goes on', async () => {
    proxy.perturb((_, answer, n) => n === 1 && refuse(answer, 429, { 'retry-after': '1' }))
    const start = performance.now()
    await stores.kv.put([{ key: 'faults/limited', value: 'written' }])
    expect(performance.now() - start).toBeGreaterThanOrEqual(990)
    expect(proxy.seen.length).toBe(2)
    expect(Buffer.from((await stores.kv.get('faults/limited')) ?? []).toString()).toBe('written')
  })

  it('understands a Retry-After that is a date', async () => {
    // The header counts whole seconds: two ahead is more than one from now.
    const date = new Date(Date.now() + 2000).toUTCString()
    proxy.perturb((_, answer, n) => n === 1 && refuse(answer, 429, { 'retry-after': date }))
    const start = performance.now()
    await stores.kv.list('faults/')
    expect(performance.now() - start).toBeGreaterThan(900)
  })

  it('writes again exactly the keys reported as unsuccessful', async () => {
    const keys = ['faults/a', 'faults/b', 'faults/c', 'faults/d', 'faults/e']
    proxy.perturb((seen, answer, n) => n === 1 && writeOnlyTwo(seen, answer, upstream()))
    await stores.kv.put(keys.map((key) => ({ key, value: `value of ${key}` })))
    expect(proxy.seen.map((seen) => keysOf(seen).length)).toEqual([5, 3])
    for (const key of keys) expect(Buffer.from((await stores.kv.get(key)) ?? []).toString()).toBe(`value of ${key}`)
  })

  it('says so when keys stay unsuccessful, and names one', async () => {
    proxy.perturb((_, answer) => respond(answer, { successful_key_count: 0, unsuccessful_keys: ['faults/stuck'] }))
    const error = await failure(stores.kv.put([{ key: 'faults/stuck', value: 'x' }]))
    expect(error.message).toMatch(/^1 keys could not be written .*faults\/stuck/)
    expect(proxy.seen.length).toBeGreaterThan(2)
  })

  it('outlasts a server that fails twice', async () => {
    proxy.perturb((_, answer, n) => n <= 2 && refuse(answer, 500))
    await stores.blobs.put('faults/object', Buffer.from('bytes'))
    expect(proxy.seen.length).toBe(3)
    expect(Buffer.from(await stores.blobs.get('faults/object')).toString()).toBe('bytes')
  })

  it('gives up on a server that keeps failing, after its retries, with one line', async () => {
    proxy.perturb((_, answer) => refuse(answer, 503))
    const error = await failure(stores.kv.get('faults/any'))
    expect(error.message).toMatch(/GET .*faults%2Fany: 503 out of order/)
    expect(error.message).not.toContain('\n')
    expect(proxy.seen.length).toBe(4)
  })

  it('asks again when an answer is cut off, whether a value, an object or a listing', async () => {
    proxy.perturb(passOn)
    await stores.kv.put([{ key: 'faults/whole', value: 'the whole value' }])
    await stores.blobs.put('faults/whole', Buffer.from('the whole object'))
    proxy.perturb((_, answer, n) => n === 1 && cutOff(answer, 'the whole'))
    expect(Buffer.from((await stores.kv.get('faults/whole')) ?? []).toString()).toBe('the whole value')
    proxy.perturb((_, answer, n) => n === 1 && cutOff(answer, 'the whole'))
    expect(Buffer.from(await stores.blobs.get('faults/whole')).toString()).toBe('the whole object')
    proxy.perturb((_, answer, n) => n === 1 && cutOff(answer, '{"success":true,"result":['))
    expect(await stores.kv.list('faults/whole')).toEqual(['faults/whole'])
    // Cut off where the connection ends in good order: only the JSON shows it.
    proxy.perturb((_, answer, n) => {
      if (n === 1) answer.end('{"success":true,"result":[')
      return n === 1
    })
    expect(await stores.kv.list('faults/whole')).toEqual(['faults/whole'])
    expect(proxy.seen.length).toBe(2)
  })

  it('does not repeat what can never succeed', async () => {
    proxy.perturb((_, answer) => refuse(answer, 403))
    const denied = await failure(stores.kv.put([{ key: 'faults/denied', value: 'x' }]))
    expect(denied.message).toContain('403')
    expect(denied.message).toContain('does CLOUDFLARE_API_TOKEN allow editing Workers KV and R2')
    expect(proxy.seen.length).toBe(1)
    proxy.perturb((_, answer) => {
      answer.end(JSON.stringify({ success: false, errors: [{ message: 'namespace is read-only' }], result: null }))
      return true
    })
    expect((await failure(stores.kv.delete(['faults/denied']))).message).toContain('namespace is read-only')
    expect(proxy.seen.length).toBe(1)
  })

  it('keeps every call within what the API takes', async () => {
    proxy.perturb((_, answer) => respond(answer, { unsuccessful_keys: [] }))
    await stores.kv.put(Array.from({ length: 10_001 }, (_, i) => ({ key: String(i), value: 'x' })))
    expect(proxy.seen.map((seen) => keysOf(seen).length)).toEqual([10_000, 1])
    proxy.perturb((_, answer) => respond(answer, { unsuccessful_keys: [] }))
    const large = new Uint8Array(20_000_000)
    await stores.kv.put(Array.from({ length: 6 }, (_, i) => ({ key: String(i), value: large })))
    expect(proxy.seen.flatMap(keysOf)).toEqual(['0', '1', '2', '3', '4', '5'])
    for (const seen of proxy.seen) expect(seen.body.length).toBeLessThan(100_000_000)
  })

  it('says what it could not reach', async () => {
    const unreachable = await startPerturbingProxy(upstream())
    await unreachable.close()
    const target = { kind: 'rest', token: null, kvNamespace: 'n', bucket: 'b', keysAreOneSegment: true } as const
    const { kv } = await openStores({ ...target, baseUrl: unreachable.url, retries: 1, firstPauseMs: 1 })
    const error = await failure(kv.get('k'))
    expect(error.message).toContain(`GET ${unreachable.url}/storage/kv/namespaces/n/values/k`)
    expect(error.message).toMatch(/ECONNREFUSED.*is it up/)
  })
}

function refuse(answer: ServerResponse, status: number, headers: Record<string, string> = {}): true {
  answer.writeHead(status, headers).end(JSON.stringify({ success: false, errors: [{ message: 'out of order' }], result: null }))
  return true
}

function respond(answer: ServerResponse, result: unknown): true {
  answer.end(JSON.stringify({ success: true, errors: [], messages: [], result }))
  return true
}

/** Promises more bytes than it sends. */
function cutOff(answer: ServerResponse, part: string): true {
  answer.writeHead(200, { 'content-length': String(part.length + 100) })
  answer.write(part, () => answer.destroy())
  return true
}

const pairsOf = (seen: Seen): { key: string }[] => JSON.parse(seen.body.toString())
const keysOf = (seen: Seen): string[] => pairsOf(seen).map(({ key }) => key)

/** The first two pairs reach the server; the rest are reported as unsuccessful. */
async function writeOnlyTwo(seen: Seen, answer: ServerResponse, upstream: string): Promise<true> {
  const pairs = pairsOf(seen)
  const headers = { 'content-type': 'application/json' }
  const reply = await fetch(`${upstream}${seen.path}`, { method: 'PUT', headers, body: JSON.stringify(pairs.slice(0, 2)) })
  expect(reply.status).toBe(200)
  return respond(answer, { successful_key_count: 2, unsuccessful_keys: pairs.slice(2).map(({ key }) => key) })
}

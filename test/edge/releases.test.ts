import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { packKey } from '../../shared/release/keys.ts'
import type { Channel } from '../../shared/release/manifest.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { isolate } from '../../workers/releases/isolate.ts'
import { PackCache } from '../../workers/releases/pack-cache.ts'
import { SharedReads } from '../../workers/releases/shared-reads.ts'
import { ask, askOnly, type Changes, click, cold, GB, idsOf, newVisitor, publish, recommendations } from './fixtures/edge.ts'
import { buildTinyRelease, ITEMS, putEntries, type TinyRelease } from './fixtures/tiny-release.ts'

let before: TinyRelease
let release: TinyRelease

beforeAll(async () => {
  before = await buildTinyRelease({ seed: 2 })
  release = await buildTinyRelease({ previous: before.entry })
})
beforeEach(async () => {
  // What is survived is logged; the tests look at what was answered.
  vi.spyOn(console, 'warn').mockReturnValue(undefined)
  await publish(before)
  await putEntries(env.RELEASES, release.entries)
})

/** Changes one byte of a pack in the middle, as a bad disk would. */
async function corrupt(hash: string): Promise<void> {
  const bytes = new Uint8Array((await env.RELEASES.get(packKey(hash), 'arrayBuffer')) ?? expect.unreachable())
  bytes[bytes.length >> 1] ^= 4
  await env.RELEASES.put(packKey(hash), bytes)
}

async function deleteAll(): Promise<void> {
  for (const { name } of (await env.RELEASES.list()).keys) await env.RELEASES.delete(name)
}

/** The assets binding of a deployment that has a bundled list; the generated one is not part of the source. */
const ASSETS = {
  fetch: async (url: string) =>
    Response.json(
      url === 'https://assets.local/bundled.json' ? { items: ['a', 'b', 'c'].map((id) => ({ id, values: { title: id } })) } : {},
    ),
} as unknown as Env['ASSETS']

/** Counts reads, and how many waited for another to end. */
function counted(): { changes: { RELEASES: Env['RELEASES'] }; reads: string[]; rounds: () => number } {
  const reads: string[] = []
  let open = 0
  let rounds = 0
  const get = async (key: string, options: never): Promise<unknown> => {
    reads.push(key)
    if (open++ === 0) rounds++
    try {
      return await env.RELEASES.get(key, options)
    } finally {
      open--
    }
  }
  return { changes: { RELEASES: { get } as unknown as Env['RELEASES'] }, reads, rounds: () => rounds }
}

describe('with something broken the answer is still a list, and the rung says which', () => {
  it('KV emptied: the bundled list, or none at all', async () => {
    await deleteAll()
    const answer = await recommendations({ offset: 1, exclude: ['c'] }, { changes: { ASSETS } })
    expect(answer).toMatchObject({ release: null, rung: 'bundled', cohort: null, region: 'GB' })
    expect(answer.items).toMatchObject([{ id: 'b', position: 2, values: { title: 'b' }, reasons: [{ code: 'popular-in', region: '*' }] }])
    const gone = { fetch: () => Promise.reject(new Error('no assets')) } as unknown as Env['ASSETS']
    expect(await recommendations({}, { changes: { ASSETS: gone } })).toMatchObject({ rung: 'bundled', items: [] })
    expect((await ask('/readyz')).status).toBe(503)
  })

  it('KV emptied under a warm isolate: nothing changes', async () => {
    const first = await recommendations()
    await deleteAll()
    expect(idsOf(await recommendations())).toEqual(idsOf(first))
  })

  it('KV failing or hanging: the bundled list', async () => {
    for (const get of [() => Promise.reject(new Error('KV is down')), () => new Promise<never>(() => undefined)]) {
      cold()
      const changes = { ASSETS, RELEASES: { get } as unknown as Env['RELEASES'], ANSWER_WITHIN_MS: '250' }
      expect(await recommendations({}, { changes })).toMatchObject({ rung: 'bundled', items: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] })
    }
  })

  it.each([
    ['that does not hash to its id', (channel: Channel) => ({ ...channel, stable: { ...channel.stable, release: '0123456789abcdef' } })],
    ['that is no manifest', (channel: Channel) => ({ ...channel, stable: { ...channel.stable, manifest: { items: 1 } } })],
  ])('a manifest %s: the previous release', async (_, change) => {
    await env.RELEASES.put('channel', JSON.stringify(change(release.channel)))
    const answer = await recommendations()
    expect(answer).toMatchObject({ release: before.entry.release, rung: 'previous-release', region: 'GB' })
    expect(answer.items).toHaveLength(20)
  })

  it('a channel that is not JSON: the bundled list', async () => {
    await env.RELEASES.put('channel', '{"v":1,"stable"')
    expect(await recommendations({}, { changes: { ASSETS } })).toMatchObject({ rung: 'bundled' })
  })

  it.each([
    ['other features', { featureSet: 'v0:none' }],
    ['another graph', { graph: '0'.repeat(32) }],
  ])('a model made for %s: merged scores, in list order', async (_, change) => {
    const foreign = await buildTinyRelease({ previous: before.entry, change: (manifest) => ({ ...manifest, ...change }) })
    await putEntries(env.RELEASES, foreign.entries)
    const visitor = await newVisitor()
    await click(visitor, release.itemIds[31])
    cold()
    const answer = await recommendations({ visitor, consent: 'granted' })
    expect(answer).toMatchObject({ release: foreign.entry.release, rung: 'list-order', cohort: 2 })
    expect(answer.items).toHaveLength(20)
  })

  it.each(['core', 'display'] as const)('a corrupted %s pack: the previous release, and without one the bundled list', async (kind) => {
    const packs = kind === 'core' ? [release.manifest.core] : release.manifest.display
    for (const { hash } of packs) await corrupt(hash)
    const answer = await recommendations()
    expect(answer).toMatchObject({ release: before.entry.release, rung: 'previous-release' })
    expect(answer.items).toHaveLength(20)
    await env.RELEASES.put('channel', JSON.stringify({ ...release.channel, previous: null }))
    cold()
    expect(await recommendations({}, { changes: { ASSETS } })).toMatchObject({ release: null, rung: 'bundled' })
  })

  it('a corrupted lists pack of the region: the wider region’s list', async () => {
    await corrupt(release.manifest.lists[1].hash)
    const answer = await recommendations()
    expect(answer).toMatchObject({ release: release.entry.release, region: 'GB', rung: 'region-list' })
    expect(answer.items[0].reasons).toEqual([{ code: 'popular-in', region: '@EU' }])
  })

  it('every lists pack corrupted: the catalogue by popularity', async () => {
    for (const { hash } of release.manifest.lists) await corrupt(hash)
    const answer = await recommendations()
    expect(answer).toMatchObject({ release: release.entry.release, rung: 'global-list' })
    expect(idsOf(answer).slice(0, 3)).toEqual(release.itemIds.slice(0, 3))
  })

  it('a corrupted neighbours or lists pack of a known visitor: merged scores, in list order', async () => {
    for (const { hash } of [release.manifest.neighbours[1], release.manifest.lists[1]]) {
      await publish(before)
      await putEntries(env.RELEASES, release.entries)
      await corrupt(hash)
      const visitor = await newVisitor()
      await click(visitor, release.itemIds[1], release.itemIds[31])
      cold()
      const answer = await recommendations({ visitor, consent: 'granted' })
      expect(answer).toMatchObject({ release: release.entry.release, rung: 'list-order' })
      expect(answer.items).toHaveLength(20)
    }
  })

  it('a corrupted model: merged scores, in list order', async () => {
    await corrupt(release.manifest.model.hash)
    const visitor = await newVisitor()
    await click(visitor, release.itemIds[31])
    expect(await recommendations({ visitor, consent: 'granted' })).toMatchObject({ rung: 'list-order', cohort: 2 })
  })

  it('the visitor’s object throwing: the region’s list', async () => {
    const visitor = await newVisitor()
    await click(visitor, release.itemIds[31])
    const plain = await recommendations()
    for (const read of [() => Promise.reject(new Error('the object is gone')), () => new Promise<never>(() => undefined)]) {
      const VISITORS = { idFromName: () => 'id', get: () => ({ read }) } as unknown as Env['VISITORS']
      const answer = await recommendations({ visitor, consent: 'granted' }, { changes: { VISITORS, ANSWER_WITHIN_MS: '1000' } })
      expect({ ...answer, recommId: '' }).toEqual({ ...plain, recommId: '' })
      expect(answer.rung).toBe('region-list')
    }
  })

  it('an overlay that is not one: none', async () => {
    await env.RELEASES.put('overlay', '{"v":2}')
    expect(await recommendations()).toMatchObject({ rung: 'region-list' })
  })
})

describe('an answer does not wait for what takes too long', () => {
  const firstList = ['item-20', 'item-21', 'item-50', 'item-51'].map((id, i) => ({
    id,
    values: { title: id, category: 'Toys', price: 10 * i },
  }))
  const carried = (options: Parameters<typeof buildTinyRelease>[0] = {}): Promise<TinyRelease> =>
    buildTinyRelease({ ...options, change: (manifest) => ({ ...manifest, firstList }) })

  /** Reads of those packs do not end before they are let through. */
  function gated(held: (key: string) => boolean): { changes: Changes; open: () => void } {
    const gate = Promise.withResolvers<void>()
    const get = async (key: string, options: never): Promise<unknown> => {
      if (held(key)) await gate.promise
      return env.RELEASES.get(key, options)
    }
    // Long enough for all that is not held back.
    return { changes: { RELEASES: { get } as unknown as Env['RELEASES'], ANSWER_WITHIN_MS: '2000' }, open: () => gate.resolve() }
  }
  const isPack = (key: string): boolean => key.startsWith('pack/')

  async function asked(changes: Changes, body: Record<string, unknown> = {}) {
    const init = { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }), cf: GB }
    const { response, done } = await askOnly('/v1/recommendations', init, changes)
    return { answer: await response.json<RecommendationAnswer>(), done }
  }

  it('nothing but the channel in time: the list that it carries, less what the overlay hides; the release for those who follow', async () => {
    const slow = await carried()
    await putEntries(env.RELEASES, slow.entries)
    await env.RELEASES.put('overlay', JSON.stringify({ v: 1, at: 1, trending: {}, unavailable: [], hidden: ['item-20'] }))
    const { changes, open } = gated(isPack)
    const { answer, done } = await asked(changes, { exclude: ['item-51'], filter: { maxPrice: 25 } })
    expect(answer).toMatchObject({ release: slow.entry.release, rung: 'global-list', region: 'GB', cohort: null })
    expect(answer.items).toMatchObject([
      { id: 'item-21', position: 1, values: { price: 10 }, reasons: [{ code: 'popular-in', region: '*' }] },
      { id: 'item-50', position: 2, values: { price: 20 } },
    ])
    open()
    await done()
    expect(await recommendations({}, { changes })).toMatchObject({ release: slow.entry.release, rung: 'region-list' })
  })

  it('not even the channel in time: the bundled list, and the release for those who follow', async () => {
    const { changes, open } = gated(() => true)
    const { answer, done } = await asked(changes)
    expect(answer).toMatchObject({ release: null, rung: 'bundled' })
    open()
    await done()
    await recommendations({}, { changes })
    expect(await recommendations({}, { changes })).toMatchObject({ release: release.entry.release, rung: 'region-list' })
  })

  it('a neighbours pack too late for a known visitor: merged scores, in list order', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31])
    cold()
    const late = packKey(release.manifest.neighbours[1].hash)
    const { changes, open } = gated((key) => key === late)
    await recommendations({ limit: 60 }, { changes })
    const { answer, done } = await asked(changes, { visitor, token })
    expect(answer).toMatchObject({ release: release.entry.release, rung: 'list-order' })
    open()
    await done()
    expect(['reference', 'onnx']).toContain((await recommendations({ visitor, token }, { changes })).rung)
  })

  it('a new release: the one that is there answers as ever until the new one is read', async () => {
    await recommendations()
    const next = await carried({ seed: 3, previous: release.entry })
    await putEntries(env.RELEASES, next.entries)
    const old = new Set(release.entries.keys())
    const { changes, open } = gated((key) => isPack(key) && !old.has(key))
    if (isolate.channel === null) expect.unreachable()
    isolate.channel.at -= 61_000
    const pending = [await asked(changes), await asked(changes)]
    for (const { answer } of pending) expect(answer).toMatchObject({ release: release.entry.release, rung: 'region-list' })
    open()
    for (const { done } of pending) await done()
    const { changes: counting, reads } = counted()
    expect(await recommendations({}, { changes: counting })).toMatchObject({ release: next.entry.release, rung: 'region-list' })
    expect(reads).toEqual([])
  })
})

describe('reading', () => {
  it.each([
    ['whole', ITEMS, 2],
    ['cut, and what it needs lies behind the first packs', ITEMS / 3, 4],
  ])('a cold isolate ranks from a release that is %s: in packs of %i rows after %i rounds', async (_, packRows, expected) => {
    await putEntries(env.RELEASES, (await buildTinyRelease({ packRows })).entries)
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31], release.itemIds[2])
    cold()
    const { changes, reads, rounds } = counted()
    const answer = await recommendations({ visitor, token }, { changes })
    expect(['reference', 'onnx']).toContain(answer.rung)
    expect(rounds()).toBe(expected)
    expect(new Set(reads).size).toBe(reads.length)
    if (expected === 2) expect(reads.length).toBeLessThanOrEqual(8)
  })

  it('a warm one reads nothing', async () => {
    const visitor = await newVisitor()
    const token = await click(visitor, release.itemIds[31], release.itemIds[2])
    const body = { visitor, token, scenario: 'home' }
    const first = await recommendations(body)
    const { changes, reads } = counted()
    expect(idsOf(await recommendations(body, { changes }))).toEqual(idsOf(first))
    expect(reads).toEqual([])
  })

  it('many requests at once share their reads', async () => {
    const { changes, reads } = counted()
    const answers = await Promise.all(Array.from({ length: 20 }, () => recommendations({}, { changes })))
    expect(new Set(answers.map((answer) => idsOf(answer).join()))).toHaveProperty('size', 1)
    expect(new Set(reads).size).toBe(reads.length)
  })

  it('a failed read is tried again, but not at once', async () => {
    let tries = 0
    const reads = new SharedReads()
    const ctx = createExecutionContext()
    const read = (): Promise<string> => (++tries === 1 ? Promise.reject(new Error('down')) : Promise.resolve('up'))
    await expect(reads.get(ctx, 'key', read)).rejects.toThrow('down')
    await expect(reads.get(ctx, 'key', read)).rejects.toThrow('down')
    expect(tries).toBe(1)
    vi.setSystemTime(Date.now() + 6_000)
    expect(await reads.get(ctx, 'key', read)).toBe('up')
    vi.useRealTimers()
    await waitOnExecutionContext(ctx)
  })

  it('the cache drops what was not used for longest when it is full', () => {
    const cache = new PackCache(100)
    for (const name of ['a', 'b', 'c']) cache.add(name, name, 40)
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 'b', 'c'])
    cache.get('b')
    cache.add('d', 'd', 40)
    expect([cache.get('b'), cache.get('c'), cache.get('d')]).toEqual(['b', undefined, 'd'])
    cache.add('large', 'large', 500)
    expect([cache.get('b'), cache.get('d'), cache.get('large')]).toEqual([undefined, undefined, 'large'])
    cache.add('e', 'e', 40)
    expect([cache.get('large'), cache.get('e')]).toEqual([undefined, 'e'])
  })
})

it('follows the pointer', async () => {
  await recommendations()
  await env.RELEASES.put('channel', JSON.stringify(before.channel))
  if (isolate.channel === null) expect.unreachable()
  isolate.channel.at -= 61_000
  expect((await recommendations()).release).toBe(release.entry.release)
  expect((await recommendations()).release).toBe(before.entry.release)
})

describe('public lists', () => {
  it('are the region’s, the same for everyone, and may be cached', async () => {
    const visitor = await newVisitor()
    await click(visitor, release.itemIds[31])
    const response = await ask('/v1/lists/FR/popular', { cf: GB })
    expect(response.headers.get('cache-control')).toBe('public, max-age=60, stale-while-revalidate=600')
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ region: 'FR', rung: 'region-list', cohort: null, release: release.entry.release })
    const again = await ask('/v1/lists/FR/popular', { cf: { country: 'BR' }, headers: { authorization: `Bearer ${visitor}` } })
    expect(await again.text()).toBe(text)
    expect(again.headers.get('set-cookie')).toBeNull()
    const etag = response.headers.get('etag') ?? ''
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const unchanged = await ask('/v1/lists/FR/popular', { headers: { 'if-none-match': tag } })
      expect(unchanged.status).toBe(304)
      expect(await unchanged.text()).toBe('')
    }
    expect((await ask('/v1/lists/GB/popular')).headers.get('etag')).not.toBe(etag)
    await env.RELEASES.put('overlay', JSON.stringify({ v: 1, at: 2, trending: {}, unavailable: [], hidden: [release.itemIds[1]] }))
    cold()
    expect((await ask('/v1/lists/FR/popular')).headers.get('etag')).not.toBe(etag)
  })

  it('answer something else only for a short time', async () => {
    await deleteAll()
    const response = await ask('/v1/lists/FR/home', { cf: GB }, { ASSETS })
    expect(response.headers.get('cache-control')).toBe('public, max-age=10')
    expect(await response.json()).toMatchObject({ rung: 'bundled', region: 'FR' })
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { type NightReport, night } from '../../batch/night/night.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { pointAt } from '../../batch/release/publish.ts'
import { keptReleases, packsOf, readChannel } from '../../batch/release/release-store.ts'
import { files } from '../../batch/sources/files.ts'
import { onlineRetail } from '../../batch/sources/online-retail.ts'
import { openStores, type Stores } from '../../batch/stores/open-stores.ts'
import { decodeDisplay } from '../../shared/release/display-pack.ts'
import { packKey } from '../../shared/release/keys.ts'
import { decodeLists } from '../../shared/release/list-pack.ts'
import type { Manifest } from '../../shared/release/manifest.ts'

const SLICE = join(import.meta.dirname, 'fixtures/online-retail-slice.csv.gz')
/** Every stage of a night, none of them long. */
const quick = { ...readConfig(undefined), decisions: 240, candidates: 60, epochs: 1, trials: 1 }

let folder: string
let stores: Stores
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightjar-night-'))
  stores = await openStores({ kind: 'local', persist: join(folder, 'state') })
})
afterAll(async () => {
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (options: Partial<Parameters<typeof night>[0]> = {}): Promise<NightReport> =>
  night({
    sources: [onlineRetail(SLICE)],
    config: quick,
    kv: stores.kv,
    blobs: stores.blobs,
    directory: folder,
    idKey: null,
    force: false,
    threads: 2,
    now: 1_000,
    progress: silentProgress,
    ...options,
  })

const manifestOf = async (): Promise<Manifest> => {
  const channel = await readChannel(stores.kv)
  if (channel === null) throw new Error('nothing is published')
  return channel.stable.manifest
}

const bytesOf = async (hash: string): Promise<ArrayBuffer> => Uint8Array.from((await stores.kv.get(packKey(hash))) ?? []).buffer

describe('a night', () => {
  let first: NightReport
  beforeAll(async () => {
    first = await run()
  })

  it('publishes a release whose every pack can be read, and archives it', async () => {
    expect(first.published).toBe(true)
    const manifest = await manifestOf()
    for (const hash of packsOf(manifest)) expect((await bytesOf(hash)).byteLength).toBeGreaterThan(0)
    const archived = await stores.blobs.list(`releases/${first.release}/`)
    expect(archived).toHaveLength(packsOf(manifest).length + 1)
  })

  it('gives the same release whatever the number of threads, and then writes nothing', async () => {
    for (const threads of [1, 4]) {
      const again = await run({ threads, force: true })
      expect(again.release).toBe(first.release)
      expect(again.kvWrites).toBe(0)
    }
  })

  it('is over at once when nothing has changed', async () => {
    const again = await run()
    expect(again).toMatchObject({ release: first.release, changed: false, published: true, kvWrites: 0 })
    expect(again.stages.map(({ name }) => name)).toEqual(['ingest'])
  })

  it('has lists for countries that differ, with titles and no postage', async () => {
    const manifest = await manifestOf()
    const regions = manifest.lists.flatMap((pack) => pack.regions)
    expect(regions).toEqual(expect.arrayContaining(['*', '@EU', 'GB', 'DE', 'FR']))
    const packs = await Promise.all(manifest.lists.map(async ({ hash }) => decodeLists(await bytesOf(hash))))
    const list = (region: string): number[] => packs.flatMap((pack) => Array.from(pack.get(region, -1)?.items ?? []))
    expect(list('GB')).not.toEqual(list('DE'))
    const ids: string[] = []
    for (const { hash, first: slot } of manifest.display) {
      const pack = decodeDisplay(await bytesOf(hash))
      for (let i = 0; i < pack.rows; i++) {
        ids.push(pack.id(slot + i))
        expect(JSON.parse(pack.json(slot + i))).toHaveProperty('title')
      }
    }
    expect(ids).toHaveLength(manifest.items)
    expect(ids).not.toContain('POST')
  })

  it('is refused when a gate says no, and what was live stays', async () => {
    const refused = await run({ config: { ...quick, minQualityShare: 10, seed: 2 } })
    expect(refused.published).toBe(false)
    expect(refused.gates.find((gate) => gate.name === 'holds-quality')?.passed).toBe(false)
    expect((await readChannel(stores.kv))?.stable.release).toBe(first.release)
  })

  it('reuses packs that did not change, keeps what it replaced, and can be rolled back', async () => {
    const second = await run({ config: { ...quick, epochs: 0 }, now: 2_000, force: true })
    expect(second.release).not.toBe(first.release)
    const channel = await readChannel(stores.kv)
    if (channel === null) throw new Error('nothing is published')
    expect(channel.previous?.release).toBe(first.release)
    expect(second.kvWrites).toBeLessThan(first.kvWrites)
    await pointAt(stores.kv, channel, first.release, 3_000)
    expect((await readChannel(stores.kv))?.stable.release).toBe(first.release)
    expect((await keptReleases(stores.kv)).map(({ release }) => release)).toEqual([second.release, first.release])
  })

  it('leaves the live release alone when writing fails half-way, and the next night gets through', async () => {
    const before = await readChannel(stores.kv)
    const changed = { ...quick, halfLifeDays: 20, epochs: 0 }
    let writes = 0
    const failing = {
      ...stores.kv,
      put: (entries: Parameters<Stores['kv']['put']>[0]) =>
        ++writes > 1 ? Promise.reject(new Error('disk full')) : stores.kv.put(entries),
    }
    await expect(run({ config: changed, kv: failing, now: 4_000 })).rejects.toThrow('disk full')
    expect(await readChannel(stores.kv)).toEqual(before)
    const resumed = await run({ config: changed, now: 5_000, force: true })
    expect(resumed.published).toBe(true)
    expect(resumed.stages.filter((stage) => stage.resumed).map((stage) => stage.name)).toEqual(['ranker', 'learn'])
  })

  it('puts back packs that were lost, and with --force those that were damaged', async () => {
    const { release } = await run({ force: true, now: 5_000 })
    const [lost, damaged] = packsOf(await manifestOf())
    await stores.kv.delete([packKey(lost)])
    expect(await run({ now: 5_001 })).toMatchObject({ release, kvWrites: 1 })
    await stores.kv.put([{ key: packKey(damaged), value: 'not what it was' }])
    expect(await run({ now: 5_002, force: true })).toMatchObject({ release, kvWrites: 1 })
    expect((await stores.kv.get(packKey(damaged)))?.length).toBeGreaterThan(100)
  })

  it('replaces a pointer that cannot be trusted', async () => {
    await stores.kv.put([{ key: 'channel', value: '{"v":1,"x":qqq' }])
    const { release } = await run({ now: 6_000 })
    expect((await readChannel(stores.kv))?.stable.release).toBe(release)
  })

  it('drops releases past the seventh, and with them the packs nobody names', async () => {
    for (let seed = 10; seed < 19; seed++)
      await run({ config: { ...quick, seed, epochs: 0, decisions: 80 }, now: 1_000 * seed, force: true })
    const kept = await keptReleases(stores.kv)
    expect(kept).toHaveLength(7)
    const named = new Set(kept.flatMap(({ manifest }) => packsOf(manifest)))
    expect(new Set(await stores.kv.list('pack/'))).toEqual(new Set([...named].map(packKey)))
  })
})

describe('little or odd input', () => {
  const csv = (name: string, rows: string[]): string => {
    const at = join(folder, name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(at, `visitor,item,at\n${rows.join('\n')}\n`)
    return at
  }

  it('still gives a list when there is next to nothing to learn from', async () => {
    const report = await run({ sources: [files({ events: csv('tiny.csv', ['ada,x,2026-11-01', 'bob,y,2026-11-01']) })], now: 90_000 })
    expect(report.published).toBe(true)
    expect(report.items).toBe(2)
  })

  it('publishes without a ranker when there is history, but too little to judge one', async () => {
    const rows = Array.from({ length: 160 }, (_, i) => `v${i % 13},i${(i * i) % 11},2026-10-${String(1 + (i % 28)).padStart(2, '0')}`)
    const report = await run({ sources: [files({ events: csv('small.csv', rows) })], force: true, now: 91_000 })
    expect(report.published).toBe(true)
    expect(report.gates.find(({ name }) => name === 'beats-popularity')?.detail).toBe('too little history to measure')
  })

  it('does not replace a release by one whose input was cut short', async () => {
    const rows = (count: number): string[] =>
      Array.from({ length: count }, (_, i) => `v${i % 7},i${i % 20},2026-10-${String(1 + (i % 28)).padStart(2, '0')}`)
    const full = await run({ sources: [files({ events: csv('full.csv', rows(300)) })], force: true, now: 92_000 })
    const cut = await run({ sources: [files({ events: csv('cut.csv', rows(1)) })], now: 93_000 })
    expect(cut.gates.filter(({ passed }) => !passed).map(({ name }) => name)).toContain('holds-input')
    expect((await readChannel(stores.kv))?.stable.release).toBe(full.release)
  })

  it('says so, and why, when there is nothing at all', async () => {
    const nothing = run({ sources: [files({ events: csv('none.csv', [',x,2026-11-01']) })] })
    await expect(nothing).rejects.toThrow('no usable events in the input (1 rows left out: without a visitor)')
  })

  it('makes neighbours of an obscure pair that three visitors took, and not of one that two did', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `crowd-${i},hit-${i % 5},2026-11-01T0${i % 10}:00:00Z`)
    for (const visitor of ['ada', 'bob', 'cyd'])
      rows.push(`${visitor},obscure-a,2026-11-02T10:00:00Z`, `${visitor},obscure-b,2026-11-02T10:01:00Z`)
    for (const visitor of ['dan', 'eve']) rows.push(`${visitor},rare-a,2026-11-02T10:00:00Z`, `${visitor},rare-b,2026-11-02T10:01:00Z`)
    const { learn } = await import('../../batch/learn/learn.ts')
    const { ingest } = await import('../../batch/ingest.ts')
    const dataset = await ingest([files({ events: csv('pairs.csv', rows) })], { threads: 1, workDirectory: folder })
    const recall = { ...USUAL_RECALL, candidates: 50 }
    const learned = await learn({ dataset, until: dataset.to + 1 }, quick, recall, () => Promise.resolve())
    const index = (id: string): number => dataset.items.findIndex((item) => item.id === id)
    expect(learned.neighbours[index('obscure-a')].items).toEqual([index('obscure-b')])
    expect(learned.neighbours[index('rare-a')].items).toEqual([])
  })
})

describe('members', () => {
  it('are imported visitors under their pseudonyms, without those the edge knows or has erased', async () => {
    const { memberHistories } = await import('../../batch/night/members.ts')
    const { ingest } = await import('../../batch/ingest.ts')
    const { visitorHash } = await import('../../shared/pseudonym.ts')
    const file = join(folder, 'members.csv')
    writeFileSync(file, 'visitor,item,at,kind\nada,x,2026-11-01,purchase\nada,y,2026-11-03,item_view\nbob,x,2026-11-01,add_to_cart\n')
    const dataset = await ingest([files({ events: file })], { threads: 1, workDirectory: folder })
    const [ada, bob] = [await visitorHash('key', 'ada'), await visitorHash('key', 'bob')]
    const all = await memberHistories(dataset, 'key')
    expect(new Map(all.map(({ visitor, ...row }) => [visitor, row]))).toEqual(
      new Map([
        [ada, { items: [1, 0], deeds: [0, 2], days: [0, 2] }],
        [bob, { items: [0], deeds: [1], days: [2] }],
      ]),
    )
    expect((await memberHistories({ ...dataset, erased: [ada] }, 'key')).map(({ visitor }) => visitor)).toEqual([bob])
    expect((await memberHistories({ ...dataset, pseudonymous: Uint8Array.of(0, 1) }, 'key')).map(({ visitor }) => visitor)).toEqual([ada])
  })
})

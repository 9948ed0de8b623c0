import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ingest } from '../../batch/ingest.ts'
import { archiveParts } from '../../batch/night/archive-parts.ts'
import { readAudit, recordFor } from '../../batch/night/audit.ts'
import { fetchEdgeEvents } from '../../batch/night/edge-events.ts'
import { type CopiedPart, dropStrays, forgetErased } from '../../batch/night/forget.ts'
import { edge } from '../../batch/sources/edge.ts'
import type { BlobSource } from '../../batch/stores/blob-source.ts'
import { openStores, type Stores } from '../../batch/stores/open-stores.ts'
import { verifyChain } from '../../shared/audit.ts'
import { parseRetention } from '../../shared/retention.ts'

const NOW = Date.UTC(2026, 10, 23)
const DAY = 86_400_000
const ANNA = 'aaaaaaaaaaaaaaaa'
const BEN = 'bbbbbbbbbbbbbbbb'
const KEEP = parseRetention('')

let folder: string
let stores: Stores
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightjar-forget-'))
  stores = await openStores({ kind: 'local', persist: join(folder, 'state') })
})
afterEach(async () => {
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const click = (visitor: string | null, received: number, item = 'a'): object => ({
  v: 1,
  id: `event-${item}-${received}`,
  type: 'click',
  item,
  at: received,
  received,
  visitor,
  country: null,
  device: null,
  referrer: null,
})
const erasure = { v: 1, id: 'erasure-1', type: 'erasure', visitor: ANNA, received: NOW, until: NOW + 3 * DAY }
const put = (key: string, lines: object[], blobs = stores.blobs): Promise<void> =>
  blobs.put(key, new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
const text = async (key: string, blobs = stores.blobs): Promise<string> => new TextDecoder().decode(await blobs.get(key))
const early = 'events/date=2026-11-20/hour=01/s-1-2.ndjson'
const later = 'events/date=2026-11-23/hour=00/s-3-4.ndjson'

/** What a night does before it reads: fetch, then forget. */
async function fetched(copy: string, retention = KEEP, now = NOW + DAY): Promise<Awaited<ReturnType<typeof forgetErased>>> {
  const copied: CopiedPart[] = []
  for (const { archive, directory } of archiveParts(stores, copy)) {
    await fetchEdgeEvents(archive, directory, () => undefined)
    const keys = await archive.list('events/')
    dropStrays(directory, keys)
    copied.push({ archive, directory, keys })
  }
  return forgetErased(copied, retention, now)
}

/** What the edge's cron takes out after it was listed is not there any more when it is read. */
const vanishing = (archive: BlobSource, gone: string): BlobSource => ({
  ...archive,
  async list(prefix) {
    const keys = await archive.list(prefix)
    if (keys.includes(gone)) await archive.delete([gone])
    return keys
  },
})

describe('a file that has its time while a night reads', () => {
  it('is left out, and said to be; all others are learned from', async () => {
    await put(early, [click(ANNA, NOW - 3 * DAY)])
    await put(later, [click(BEN, NOW)])
    const copy = join(folder, 'one')
    const fetched = await fetchEdgeEvents(vanishing(stores.blobs, early), copy, () => undefined)
    expect(fetched).toEqual({ events: [later], files: 1, rejected: 0, gone: 1 })
    await put('quarantine/date=2026-11-20/hour=01/s-1-2.ndjson', [click(ANNA, NOW - 3 * DAY)])
    await put('quarantine/date=2026-11-23/hour=00/s-3-4.ndjson', [click(BEN, NOW)])
    const archive = vanishing(stores.blobs, 'quarantine/date=2026-11-20/hour=01/s-1-2.ndjson')
    expect((await forgetErased([{ archive, directory: copy, keys: fetched.events }], KEEP, NOW)).files).toBe(0)
  })

  it('is not told from one that cannot be read by mistake: that ends the night', async () => {
    await put(early, [click(ANNA, NOW - 3 * DAY)])
    const archive: BlobSource = { ...stores.blobs, get: () => Promise.reject(new Error('R2 is down')) }
    await expect(fetchEdgeEvents(archive, join(folder, 'one'), () => undefined)).rejects.toThrow('R2 is down')
  })
})

describe('the night after an erasure', () => {
  it('takes the visitor’s events out of the archive and out of every copy, and leaves all others', async () => {
    await put(early, [click(ANNA, NOW - 3 * DAY), click(BEN, NOW - 3 * DAY)])
    await put('events/date=2026-11-21/hour=01/s-5-5.ndjson', [click(ANNA, NOW - 2 * DAY)])
    const [one, two] = [join(folder, 'one'), join(folder, 'two')]
    // A machine that had fetched everything before the erasure.
    await fetchEdgeEvents(stores.blobs, two, () => undefined)
    await put(later, [erasure, click(null, NOW), click(ANNA, NOW + 1, 'late')])
    expect(await fetched(one)).toEqual({ visitors: 1, events: 3, expired: 0, files: 3 })
    expect(await stores.blobs.list('events/')).toEqual([early, later])
    expect((await text(early)) + (await text(later))).toBe(
      [click(BEN, NOW - 3 * DAY), erasure, click(null, NOW)].map((line) => `${JSON.stringify(line)}\n`).join(''),
    )
    expect((await fetched(two)).events).toBe(1)
    for (const copy of [one, two]) expect(readFileSync(join(copy, early), 'utf8')).not.toContain(ANNA)
    expect(await fetched(one)).toEqual({ visitors: 0, events: 0, expired: 0, files: 0 })
  })

  it('finds again what a night that was killed had left in its copy', async () => {
    await put(early, [click(ANNA, NOW - DAY), click(BEN, NOW - DAY)])
    await put(later, [erasure])
    const copy = join(folder, 'copy')
    await fetched(copy)
    writeFileSync(join(copy, early), `${JSON.stringify(click(ANNA, NOW - DAY))}\n`, { flag: 'a' })
    expect((await fetched(copy)).events).toBe(1)
    expect(readFileSync(join(copy, early), 'utf8')).not.toContain(ANNA)
  })

  it('takes out what they did before they logged in', async () => {
    const merge = { v: 1, id: 'merge-1', type: 'merge', received: NOW - DAY, visitor: BEN, into: ANNA }
    await put(early, [click(BEN, NOW - 3 * DAY), merge, click(null, NOW - 3 * DAY)])
    await put(later, [erasure])
    expect(await fetched(join(folder, 'copy'))).toMatchObject({ events: 2 })
    expect(await text(early)).toBe(`${JSON.stringify(click(null, NOW - 3 * DAY))}\n`)
  })

  it('reaches both archives from either, and learns from what is left in both', async () => {
    const { euBlobs } = stores
    if (euBlobs === null) throw new Error('local state has a bucket for the EU')
    const merge = { v: 1, id: 'merge-1', type: 'merge', received: NOW - DAY, visitor: BEN, into: ANNA }
    await put(early, [click(ANNA, NOW - 3 * DAY), click('cccccccccccccccc', NOW - 3 * DAY, 'c')])
    await put(early, [click(BEN, NOW - 3 * DAY, 'b'), click('dddddddddddddddd', NOW - 3 * DAY, 'd'), merge], euBlobs)
    // The same event in both, as when a deployment gets its bucket in the EU between two tries.
    await put(later, [click('dddddddddddddddd', NOW - 3 * DAY, 'd')])
    const copy = join(folder, 'copy')
    await fetched(copy)
    const learned = async (): Promise<string[][]> => {
      const { visitors, items, deeds } = await ingest([edge(copy)], { threads: 1, workDirectory: folder })
      return [visitors, items.map(({ id }) => id), [String(deeds.count)]]
    }
    expect(await learned()).toEqual([[ANNA, 'cccccccccccccccc', 'dddddddddddddddd'], ['a', 'b', 'c', 'd'], ['4']])
    await put(later, [erasure], euBlobs)
    expect(await fetched(copy)).toEqual({ visitors: 2, events: 3, expired: 0, files: 2 })
    expect(await text(early)).not.toContain(ANNA)
    expect(await text(early, euBlobs)).not.toContain(BEN)
    expect(await learned()).toEqual([['cccccccccccccccc', 'dddddddddddddddd'], ['c', 'd'], ['2']])
  })

  it('takes what they sent out of quarantine as well', async () => {
    const rejected = (visitor: string): object => ({ v: 1, type: 'rejected', received: NOW - DAY, visitor, event: '{"type":"stare"}' })
    await put(later, [erasure])
    await put('quarantine/date=2026-11-22/hour=00/s-1-1.ndjson', [rejected(ANNA), rejected(BEN)])
    await put('quarantine/date=2026-11-22/hour=00/s-2-2.ndjson', [rejected(ANNA)])
    expect(await fetched(join(folder, 'copy'))).toMatchObject({ visitors: 1, events: 2, files: 2 })
    const [left, ...more] = await stores.blobs.list('quarantine/')
    expect(more).toEqual([])
    expect(await text(left ?? '')).toBe(`${JSON.stringify(rejected(BEN))}\n`)
  })

  it('takes out what has had its time, type by type', async () => {
    await put(early, [
      click(BEN, NOW - 3 * DAY),
      { ...click(BEN, NOW - 3 * DAY), id: 'event-shown', type: 'impression', item: undefined, items: ['b'] },
    ])
    expect(await fetched(join(folder, 'copy'), parseRetention('impression=2'))).toMatchObject({ expired: 1, files: 1 })
    expect(await text(early)).toBe(`${JSON.stringify(click(BEN, NOW - 3 * DAY))}\n`)
  })
})

describe('the night’s audit log', () => {
  const note = { action: 'forgotten', actor: 'night', detail: { visitors: 1, events: 2 } } as const

  it('grows by a line a night, vouches for the end of the edge’s, and is not continued once it is broken', async () => {
    await recordFor('night', stores.blobs, note, NOW)
    await recordFor('night', stores.blobs, note, NOW + DAY)
    const lines = await readAudit(stores.blobs, 'night')
    expect(await verifyChain(lines)).toMatchObject({ head: { seq: 2 }, fault: null })
    await stores.blobs.delete(['audit/night/0000000001.ndjson'])
    await expect(recordFor('night', stores.blobs, note, NOW)).rejects.toThrow(/not whole/)
  })

  it('keeps the line of each of two who write at the same moment', async () => {
    const write = (n: number): Promise<unknown> =>
      recordFor('operator', stores.blobs, { action: 'admin', actor: 'operator', detail: { n } }, NOW)
    await write(0)
    // Between this one's look at the end and its line, another has written one.
    let overtaken = false
    const slow = {
      ...stores.blobs,
      put: async (key: string, bytes: Uint8Array) => {
        await stores.blobs.put(key, bytes)
        if (overtaken) return
        overtaken = true
        await stores.blobs.delete([key])
        await write(1)
      },
    }
    await recordFor('operator', slow, { action: 'admin', actor: 'operator', detail: { n: 2 } }, NOW)
    const lines = (await readAudit(stores.blobs, 'operator')) as { detail: { n: number } }[]
    expect(lines.map(({ detail }) => detail.n)).toEqual([0, 1, 2])
    expect((await verifyChain(lines)).fault).toBeNull()
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fetchEdgeEvents } from '../../batch/night/edge-events.ts'
import { readQuarantine, replayFile } from '../../batch/night/quarantine.ts'
import { openStores, type Stores } from '../../batch/stores/open-stores.ts'
import { rejectedLine } from '../../shared/quarantine.ts'

const SEEN = { received: 1_795_461_446_312, visitor: '9f2c4e0b1a7d3358', country: 'GB', device: null, referrer: null }
const HOUR = 'date=2026-11-23/hour=18'
const event = (id: string, more: object = {}): object => ({ v: 1, id, type: 'click', item: 'a', at: SEEN.received, ...SEEN, ...more })

let directory: string
let stores: Stores
const put = (key: string, text: string): Promise<void> => stores.blobs.put(key, new TextEncoder().encode(text))
const fetched = (): ReturnType<typeof fetchEdgeEvents> => fetchEdgeEvents(stores.blobs, directory, () => undefined)
const quarantined = async (): Promise<{ name: string; details: string[] }[]> => {
  const files = []
  for await (const { name, records } of readQuarantine(stores)) files.push({ name, details: records.map(({ detail }) => detail) })
  return files
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-quarantine-'))
  stores = await openStores({ kind: 'local', persist: join(directory, 'state') })
})
afterAll(async () => {
  await stores.close()
  rmSync(directory, { recursive: true, force: true })
})

it('the night keeps what it cannot read out of its input, with file and line, and says so once', async () => {
  const lines = [event('event-0001'), event('event-0002', { v: 9 }), event('event-0003')].map((line) => JSON.stringify(line))
  await put(`events/${HOUR}/shard-1-3.ndjson`, `${lines.join('\n')}\n{"v":1,"id":"event-0004","ty`)
  expect(await fetched()).toMatchObject({ files: 1, rejected: 2 })
  const kept = readFileSync(join(directory, `events/${HOUR}/shard-1-3.ndjson`), 'utf8')
  expect(kept).toBe(`${lines[0]}\n${lines[2]}\n`)
  expect(await quarantined()).toEqual([{ name: `${HOUR}/shard-1-3-night.ndjson`, details: ['v must be 1', 'the line is no JSON'] }])
  for await (const { records } of readQuarantine(stores))
    expect(records).toMatchObject([
      { offset: `events/${HOUR}/shard-1-3.ndjson:2`, visitor: SEEN.visitor, received: SEEN.received },
      // Of when its file came: what says nothing of its time must not be taken for long past its time.
      { offset: `events/${HOUR}/shard-1-3.ndjson:4`, received: Date.UTC(2026, 10, 23, 18), event: expect.stringContaining('event-0004') },
    ])
  expect(await fetched()).toMatchObject({ files: 1, rejected: 0 })
})

it('what fits by now goes back to the archive and reaches the next night, however often it is replayed', async () => {
  const name = `${HOUR}/edge-5-6.ndjson`
  const reason = { offset: 'events[0]', field: 'events[0].v', detail: 'v must be 1' }
  const good = { id: 'event-0005', type: 'click', item: 'b', at: SEEN.received }
  const file = rejectedLine(good, SEEN, reason) + rejectedLine({ ...good, id: 'event-0006', v: 2 }, SEEN, reason)
  for (let round = 0; round < 2; round++) {
    await put(`quarantine/${name}`, file)
    for await (const one of readQuarantine(stores, name))
      expect(await replayFile(stores.blobs, one)).toEqual({ name, replayed: 1, left: 1 })
  }
  const replayed = (await stores.blobs.list('events/')).filter((key) => key.includes('-replayed-'))
  expect(replayed).toHaveLength(1)
  expect(await fetched()).toMatchObject({ rejected: 0 })
  expect(JSON.parse(readFileSync(join(directory, replayed[0] ?? ''), 'utf8'))).toEqual({ ...good, v: 1, ...SEEN })
  expect((await quarantined()).find((one) => one.name === name)?.details).toEqual(['v must be 1'])
})

it('of the EU’s archive stays in the EU’s bucket, and what of it changes the catalogue goes to the catalogue', async () => {
  const { euBlobs } = stores
  if (euBlobs === null) throw new Error('local state has a bucket for the EU')
  const path = `${HOUR}/edge-7-9.ndjson`
  const item = { id: 'event-0007', type: 'item_upsert', item: 'n', fields: { title: 'News' } }
  const reason = { offset: 'events[0]', field: 'events[0].v', detail: 'v must be 1' }
  const lines = [
    rejectedLine({ id: 'event-0008', type: 'click', item: 'b' }, SEEN, reason),
    rejectedLine(item, { ...SEEN, visitor: null }, { ...reason, catalogue: true }),
    rejectedLine({ ...item, id: 'event-0009', item: 'stranger' }, SEEN, reason),
  ]
  await euBlobs.put(`quarantine/${path}`, new TextEncoder().encode(lines.join('')))
  for await (const one of readQuarantine(stores, `eu/${path}`))
    expect(await replayFile(stores.blobs, one)).toEqual({ name: `eu/${path}`, replayed: 2, left: 1 })
  const texts = async (blobs: typeof stores.blobs, prefix: string): Promise<string> =>
    (await Promise.all((await blobs.list(prefix)).map(async (key) => new TextDecoder().decode(await blobs.get(key))))).join('')
  expect(await texts(euBlobs, 'events/')).toContain('event-0008')
  expect(await texts(stores.blobs, 'events/')).not.toContain('event-0008')
  expect(await texts(stores.blobs, 'items/')).toBe(
    `${JSON.stringify({ v: 1, type: 'item_upsert', received: SEEN.received, item: 'n', fields: { title: 'News' } })}\n`,
  )
  expect(await euBlobs.list('items/')).toEqual([])
  expect(await texts(euBlobs, 'quarantine/')).toContain('stranger')
})

it('a file that is not there is named', async () => {
  await expect(readQuarantine(stores, 'nothing').next()).rejects.toThrow(/no quarantine file "nothing"/)
})

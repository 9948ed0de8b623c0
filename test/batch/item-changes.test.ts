import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CatalogueItem, Dataset } from '../../batch/dataset.ts'
import { ingest } from '../../batch/ingest.ts'
import { edge } from '../../batch/sources/edge.ts'
import { files } from '../../batch/sources/files.ts'
import type { ItemFields, ItemRecord } from '../../shared/schemas/items.ts'

const NOW = 1_795_461_446
let directory: string
const at = (name: string): string => join(directory, name)

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-items-'))
  writeFileSync(at('events.csv'), `visitor,item,at\nann,a,${NOW - 100}\nann,b,${NOW - 50}\nben,c,${NOW}\n`)
  writeFileSync(at('items.csv'), 'item,title,category,price,available\na,Apple,Fruit,1,true\nb,Bean,Greens,2,true\nc,Cherry,Fruit,3,true\n')
})
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

const upsert = (item: string, received: number, fields: ItemFields): ItemRecord => ({ v: 1, type: 'item_upsert', item, received, fields })
const remove = (item: string, received: number): ItemRecord => ({ v: 1, type: 'item_remove', item, received })

async function after(...changes: ItemRecord[][]): Promise<Dataset & { item: (id: string) => CatalogueItem | undefined }> {
  const folder = mkdtempSync(at('edge-'))
  for (const [i, part] of changes.entries()) {
    mkdirSync(join(folder, 'items/date=2026-11-23'), { recursive: true })
    writeFileSync(join(folder, `items/date=2026-11-23/${i}.ndjson`), part.map((change) => `${JSON.stringify(change)}\n`).join(''))
  }
  const dataset = await ingest([files({ events: at('events.csv'), items: at('items.csv') }), edge(folder)], {
    threads: 2,
    workDirectory: directory,
  })
  return { ...dataset, item: (id) => dataset.items.find((one) => one.id === id) }
}

it('takes in new items, keeps what is not said anew, and knows when it all was', async () => {
  const dataset = await after(
    [
      upsert('n', 5000, { title: 'News', categories: ['Press', 'Local'], tags: ['city'], properties: { author: 'desk' } }),
      upsert('a', 5001, { price: 9 }),
    ],
    [upsert('a', 6000, { available: false, tags: ['sale'] }), upsert('n', 6001, { properties: { words: 300 } })],
  )
  expect(dataset.item('n')).toMatchObject({
    category: 'Press',
    available: true,
    firstSeen: 5,
    values: { title: 'News', categories: ['Press', 'Local'], tags: ['city'], author: 'desk', words: 300 },
  })
  expect(dataset.item('a')).toMatchObject({ price: 9, category: 'Fruit', available: false, values: { title: 'Apple', tags: ['sale'] } })
  expect(dataset.item('b')).toMatchObject({ price: 2, available: true })
  expect(dataset.catalogueAt).toBe(6001)
})

it('leaves out what was removed, deeds and all, and begins anew where it comes back', async () => {
  const dataset = await after([remove('a', 1), remove('b', 2), upsert('b', 3, { title: 'Broad bean' })])
  expect(dataset.item('a')).toBeUndefined()
  expect(dataset.item('b')).toMatchObject({ category: '', price: 0, values: { title: 'Broad bean' } })
  expect(dataset.deeds.count).toBe(2)
  expect(dataset.dropped).toEqual({ 'removed from the catalogue': 1 })
})

it('goes by the order of arrival, whatever the files are called', async () => {
  const [first, second] = [upsert('a', 10, { title: 'old' }), upsert('a', 20, { title: 'new' })]
  for (const order of [
    [first, second],
    [second, first],
  ])
    expect((await after(...order.map((one) => [one]))).item('a')?.values.title).toBe('new')
  expect((await after([upsert('a', 10, { title: 'first' }), upsert('a', 10, { title: 'last' })])).item('a')?.values.title).toBe('last')
})

it('judges windows by the newest event', async () => {
  const dataset = await after([
    upsert('a', 1, { from: 1000 * NOW + 1 }),
    upsert('b', 1, { from: 1000 * NOW, until: 1000 * NOW + 1 }),
    upsert('c', 1, { until: 1000 * NOW }),
  ])
  expect(['a', 'b', 'c'].map((id) => dataset.item(id)?.available)).toEqual([false, true, false])
})

it('makes another fingerprint only where something changes', async () => {
  const [plain, same, other] = [
    await after(),
    await after([upsert('a', 1, { title: 'Apple' })]),
    await after([upsert('a', 1, { title: 'Pear' })]),
  ]
  expect(same.fingerprint).toBe(plain.fingerprint)
  expect(other.fingerprint).not.toBe(plain.fingerprint)
})

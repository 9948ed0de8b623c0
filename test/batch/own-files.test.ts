import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { WHOLE } from '../../batch/dataset.ts'
import { openDatabase } from '../../batch/engine/database.ts'
import { recentSums } from '../../batch/learn/interactions.ts'
import { files } from '../../batch/sources/files.ts'
import { InputError } from '../../batch/sources/source.ts'
import { deviceClasses, referrerClasses } from '../../shared/ranking/visit-context.ts'
import { sourcesFolder } from './support/sources-folder.ts'

const { folder, read, write } = sourcesFolder()

describe('own files', () => {
  it('may say since when items have been there, which is not after their first event', async () => {
    const events = write('dated.csv', 'user,item,at\nv,old,1700000000\nv,new,1700000060\nv,said,1700000120\n')
    const items = write('dated-items.csv', 'item,first_seen\nold,2020-01-01\nnew,2030-01-01\nunseen,2030-01-01\n')
    const dataset = await read([files({ events, items })])
    const since = Object.fromEntries(dataset.items.map(({ id, firstSeen }) => [id, firstSeen]))
    expect(since).toEqual({ old: 1_577_836_800, new: 1_700_000_060, said: 1_700_000_120, unseen: 1_893_456_000 })
  })

  it('may have an order instead of times', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `v${i % 4},i${(i * 7) % 11}`)
    const mapping = write('order.json', '{"events": {"order": "file"}}')
    const { deeds, from, to } = await read([files({ events: write('order.csv', `user,item\n${rows.join('\n')}\n`), mapping })])
    const of = (visitor: number): number[] => Array.from(deeds.item.filter((_, k) => deeds.visitor[k] === visitor))
    expect(of(1)).toEqual([...Array(15).keys()].map((n) => [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9].indexOf(((1 + 4 * n) * 7) % 11)))
    expect((to - from) / 86_400).toBe(59)
    const both = write('both.json', '{"events": {"order": "file", "at": "when"}}')
    await expect(read([files({ events: write('both.csv', 'user,item,when\na,b,1\n'), mapping: both })])).rejects.toThrow(
      /the mapping says both "at" and "order"/,
    )
    await expect(read([files({ events: write('neither.csv', 'user,item\na,b\n') })])).rejects.toThrow(/"order": "file"/)
  })

  it('may weigh rows: by the logarithm, whole from what few exceed, and nothing at 0 or less', async () => {
    const weights = [1, 3, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 999, 0, -2, 'many', '']
    const rows = weights.map((weight, i) => `v,i${String(i).padStart(2, '0')},${1_700_000_000 + i},${weight}`)
    const mapping = write('weight.json', '{"events": {"weight": "plays"}}')
    const dataset = await read([files({ events: write('weight.csv', `user,item,at,plays\n${rows.join('\n')}\n`), mapping })])
    expect(Array.from(dataset.deeds.weight.subarray(0, 3))).toEqual([74, 147, WHOLE])
    expect(Array.from(dataset.deeds.weight.subarray(3))).toEqual(Array(19).fill(WHOLE))
    expect(dataset.dropped).toEqual({ 'a weight that is not above 0': 2 })
    const [once, ofTen] = recentSums({ dataset, until: dataset.to + 1 }, Number.POSITIVE_INFINITY)
    expect(once).toBeCloseTo(74 / WHOLE, 5)
    expect(ofTen).toBeCloseTo(147 / WHOLE, 5)
  })

  const events =
    'visitor,item,at,kind,country\nada,é,2026-11-01T10:00:00Z,item_view,Germany\nada,z,2026-11-01T10:10:00Z,purchase,DE\nbob,z,2026-11-01T11:00:00Z,item_view,\n'

  it('need no mapping where the columns are called what they are', async () => {
    const dataset = await read([files({ events: write('plain.csv', events) })])
    expect(dataset.visitors).toEqual(['ada', 'bob'])
    expect(Array.from(dataset.deeds.deed)).toEqual([0, 2, 0])
    expect(dataset.countries).toEqual(['', 'DE'])
    expect(dataset.from).toBe(Date.UTC(2026, 10, 1, 10) / 1000)
  })

  it('order items by the bytes of their ids', async () => {
    const dataset = await read([files({ events: write('bytes.csv', events) })])
    expect(dataset.items.map(({ id }) => id)).toEqual(['z', 'é'])
  })

  it('read the same from CSV, gzipped CSV, NDJSON and Parquet', async () => {
    const rows = [
      { visitor: 'ada', item: 'a', at: 1_793_527_200, kind: 'item_view' },
      { visitor: 'bob', item: 'b', at: 1_793_527_300, kind: 'purchase' },
    ]
    const csv = `visitor,item,at,kind\n${rows.map((row) => Object.values(row).join(',')).join('\n')}\n`
    const ndjson = rows.map((row) => JSON.stringify(row)).join('\n')
    const parquet = join(folder, 'events.parquet')
    const { db, close } = await openDatabase({ threads: 1, memoryMb: 128, workDirectory: folder })
    await db.run(`COPY (SELECT * FROM read_csv('${write('same.csv', csv)}')) TO '${parquet}' (FORMAT parquet)`)
    close()
    const sources = [
      write('a.csv', csv),
      write('a.csv.gz', gzipSync(csv)),
      write('a.ndjson', ndjson),
      write('a.ndjson.gz', gzipSync(ndjson)),
      parquet,
    ]
    const fingerprints = await Promise.all(sources.map(async (file) => (await read([files({ events: file })])).fingerprint))
    expect(new Set(fingerprints).size).toBe(1)
  })

  it('keep every value as it is written, whatever else its column holds', async () => {
    const lines = [
      { visitor: 'ada', item: '007', at: '2026-11-01' },
      { visitor: 7, item: 7, at: 1_793_491_200 },
      { visitor: 'bob', item: '2026-11-01', at: '2026-11-01T00:00:00Z' },
      { visitor: { id: 1 }, item: 'x', at: '2026-11-01' },
      { visitor: 'bob', item: ['x'], at: '2026-11-01' },
      { visitor: 'bob', item: 'x', at: 1e300 },
    ]
    const dataset = await read([files({ events: write('mixed.ndjson', lines.map((line) => `${JSON.stringify(line)}\n`).join('')) })])
    expect(dataset.visitors).toEqual(['7', 'ada', 'bob'])
    expect(dataset.items.map(({ id }) => id)).toEqual(['007', '2026-11-01', '7'])
    expect(dataset.dropped).toEqual({ 'no item': 1, 'no usable time': 1, 'without a visitor': 1 })
  })

  it('understand quotes that come late, signs that mean something to SQL, and prices that are none', async () => {
    const dataset = await read([
      files({
        events: write("a[1]*'s.csv", `visitor,item,at\n${'ada,x,2026-11-01\n'.repeat(25_000)}#bob,"y, ""big""",2026-11-01\n`),
        items: write('prices.csv', 'item,price\nx,nan\n"y, ""big""",1e300\n'),
      }),
    ])
    expect(dataset.visitors).toEqual(['#bob', 'ada'])
    expect(dataset.items.map(({ id, price }) => [id, price])).toEqual([
      ['x', 0],
      ['y, "big"', 0],
    ])
  })

  it('tell how visitors came, by classes or by what browsers send', async () => {
    const rows = [
      'ada,x,2026-11-01,phone,search',
      'ada,x,2026-11-02,"Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0",https://www.bing.com/search?q=x',
      'bob,x,2026-11-01,,',
      'eve,x,2026-11-01,Tablet,not a page',
    ]
    const { deeds } = await read([files({ events: write('came.csv', `visitor,item,at,user_agent,referrer\n${rows.join('\n')}\n`) })])
    expect(Array.from(deeds.device, (device) => deviceClasses[device - 1])).toEqual(['phone', 'desktop', undefined, 'tablet'])
    expect(Array.from(deeds.referrer, (referrer) => referrerClasses[referrer - 1])).toEqual(['search', 'search', undefined, undefined])
    const mapping = write('came.json', '{"events":{"device":"gear"}}')
    const mapped = await read([files({ events: write('gear.csv', 'visitor,item,at,gear\nada,x,2026-11-01,other\n'), mapping })])
    expect(Array.from(mapped.deeds.device)).toEqual([1 + deviceClasses.indexOf('other')])
  })

  it('follow a mapping, and show the catalogue', async () => {
    const mapping = {
      events: { visitor: 'who', item: 'what', at: 'when', timeFormat: '%d/%m/%Y %H:%M', kind: 'did', kinds: { bought: 'purchase' } },
      items: { item: 'sku', title: 'label', properties: ['colour'] },
    }
    const dataset = await read([
      files({
        events: write('mapped.csv', 'who,what,when,did\nada,x,01/11/2026 10:00,bought\n'),
        items: write('items.ndjson', '{"sku":"x","label":"A thing","colour":"red"}\n{"sku":"y","label":"Untouched","colour":"blue"}\n'),
        mapping: write('mapping.json', JSON.stringify(mapping)),
      }),
    ])
    expect(dataset.items.map(({ values }) => values)).toEqual([
      { title: 'A thing', colour: 'red' },
      { title: 'Untouched', colour: 'blue' },
    ])
    expect(Array.from(dataset.deeds.deed)).toEqual([2])
  })

  it.each([
    ['no such file', () => ({ events: '/nowhere/events.csv' }), /no such file/],
    ['an empty file', () => ({ events: write('empty.csv', '') }), /the file is empty/],
    ['a missing column', () => ({ events: write('missing.csv', 'a,b\n1,2\n') }), /no column for "visitor"/],
    [
      'a column the mapping names in vain',
      () => ({ events: write('vain.csv', events), mapping: write('vain.json', '{"events":{"item":"nope"}}') }),
      /"item" is column "nope"/,
    ],
    [
      'times that cannot be read',
      () => ({ events: write('times.csv', 'visitor,item,at\nada,x,yesterday\n') }),
      /no row has a readable time/,
    ],
    [
      'a missing column of the catalogue',
      () => ({ events: write('fine.csv', events), items: write('odd.csv', 'a,b\n1,2\n') }),
      /\{"items": \{"item"/,
    ],
    ['a folder', () => ({ events: mkdtempSync(join(folder, 'a folder.csv-')) }), /this is a folder/],
    [
      'text in another encoding',
      () => ({ events: write('latin.csv', Buffer.from('visitor,item,at\nada,x\xe9,2026-11-01\n', 'latin1')) }),
      /line 2 is not UTF-8/,
    ],
    ['a line of another length', () => ({ events: write('short.csv', `${events}ada,x\n`) }), /line 5 has 2 fields where the header has 5/],
    [
      'a line of another length after many',
      () => ({ events: write('long.csv', `visitor;item;at\n${'a;b;2026-11-01\n'.repeat(30_000)}a;b\n`) }),
      /line 30002 has 2 fields/,
    ],
    ['bytes that are no CSV', () => ({ events: write('bytes.csv', Buffer.from([1, 2, 255, 254, 0, 13, 10, 34, 44])) }), /bytes\.csv: /],
    ['bytes that are no Parquet', () => ({ events: write('bytes.parquet', 'no') }), /cannot be read/],
    ['a line that is no JSON', () => ({ events: write('bad.ndjson', '{"visitor":"a"}\nhalf a li') }), /line 2 is no JSON/],
    [
      'a gzip file that was cut short',
      () => ({ events: write('cut.ndjson.gz', gzipSync('{"visitor":"a"}\n').subarray(0, -9)) }),
      /damaged or cut short/,
    ],
    ['a mapping that is not JSON', () => ({ events: write('ok.csv', events), mapping: write('bad.json', '{') }), /not JSON/],
  ])('say in one line what is wrong with %s', async (_name, options, message) => {
    await expect(read([files(options())])).rejects.toThrow(message)
    await expect(read([files(options())])).rejects.not.toThrow(/\n/)
  })

  it('say in one line that a Parquet file is damaged inside, which shows only when its rows are read', async () => {
    const file = join(folder, 'damaged.parquet')
    const { db, close } = await openDatabase({ threads: 1, memoryMb: 256, workDirectory: folder })
    await db.run(`COPY (SELECT 'v' || hash(i) AS visitor, 'i' || hash(-i) AS item, i AS at FROM range(5000) rows(i)) TO '${file}'`)
    close()
    const bytes = readFileSync(file)
    bytes.fill(0xff, 100, 20_000)
    writeFileSync(file, bytes)
    const damaged = read([files({ events: file })])
    await expect(damaged).rejects.toThrow(InputError)
    await expect(damaged).rejects.toThrow(/damaged\.parquet: cannot be read/)
    await expect(damaged).rejects.not.toThrow(/\n/)
  })

  it('leave out what cannot be used, and count it', async () => {
    const bad = `visitor,item,at,kind\nada,x,2026-11-01,item_view\nada,,2026-11-01,item_view\n,x,2026-11-01,item_view\nada,x,1,item_view\nada,x,2026-11-01,stared\nada,${'w'.repeat(201)},2026-11-01,item_view\n`
    const dataset = await read([files({ events: write('dirty.csv', bad) })])
    expect(dataset.deeds.count).toBe(1)
    expect(dataset.dropped).toEqual({
      'no item': 1,
      'without a visitor': 1,
      'no usable time': 1,
      'kind is none of item_view, click, add_to_cart, purchase (map it with "kinds")': 1,
      'item id over 200 bytes': 1,
    })
  })
})

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NOBODY } from '../../batch/dataset.ts'
import { edge } from '../../batch/sources/edge.ts'
import { files } from '../../batch/sources/files.ts'
import { deviceClasses, referrerClasses } from '../../shared/ranking/visit-context.ts'
import { sourcesFolder } from './support/sources-folder.ts'

const { folder, read, write } = sourcesFolder()

describe('what the edge recorded', () => {
  it('is joined to the catalogue, each event once, a purchase once an item', async () => {
    const at = Date.UTC(2026, 10, 2)
    const record = { v: 1, received: at, visitor: '0123456789abcdef', country: 'FR', device: 'tablet', referrer: 'email', at }
    const lines = [
      { ...record, id: 'event-0001', type: 'click', item: 'x' },
      { ...record, id: 'event-0001', type: 'click', item: 'x' },
      { ...record, id: 'event-0002', type: 'purchase', items: [{ item: 'x' }, { item: 'y', quantity: 2 }] },
      { ...record, id: 'event-0003', type: 'click', item: 'not-in-the-shop' },
      { ...record, id: 'event-0004', type: 'click', item: 'x', visitor: null },
      { ...record, id: 'event-0005', type: 'impression', items: ['x', 'y'] },
    ]
    write('log.ndjson', `${lines.map((line) => JSON.stringify(line)).join('\n')}\nhalf a li`)
    const own = files({
      events: write('base.csv', 'visitor,item,at\nada,x,2026-11-01\nada,y,2026-11-01\n'),
      items: write('shop.ndjson', '{"item":"x"}\n{"item":"y"}\n'),
    })
    const logOnly = mkdtempSync(join(folder, 'log-'))
    writeFileSync(join(logOnly, 'log.ndjson'), readFileSync(join(folder, 'log.ndjson')))
    const dataset = await read([own, edge(logOnly)])
    expect(dataset.visitors).toEqual(['0123456789abcdef', 'ada'])
    expect(Array.from(dataset.pseudonymous)).toEqual([1, 0])
    expect(dataset.deeds.count).toBe(5)
    expect(Array.from(dataset.deeds.device, (device) => deviceClasses[device - 1])).toEqual([
      'tablet',
      'tablet',
      'tablet',
      undefined,
      undefined,
    ])
    expect(Array.from(dataset.deeds.referrer.subarray(0, 3), (referrer) => referrerClasses[referrer - 1])).toEqual([
      'email',
      'email',
      'email',
    ])
    expect(dataset.dropped).toEqual({ 'sent twice': 1, 'unknown item': 1, 'without a visitor': 1 })
  })

  it('keeps what was shown where, and what of it was clicked', async () => {
    const at = Date.UTC(2026, 10, 2)
    const record = { v: 1, received: at, visitor: '0123456789abcdef', country: 'FR', at }
    const other = { ...record, visitor: 'fedcba9876543210' }
    const shown = { type: 'impression', items: ['y', 'x', 'not-in-the-shop'] }
    const lines = [
      { ...record, id: 'event-0001', ...shown, recommId: 'list-b' },
      { ...record, id: 'event-0001', ...shown, recommId: 'list-b' },
      { ...record, id: 'event-0002', type: 'click', item: 'x', recommId: 'list-b', position: 2, at: at + 5000 },
      { ...record, id: 'event-0003', type: 'click', item: 'x', recommId: 'list-b', position: 2, at: at + 9000 },
      { ...record, id: 'event-0004', type: 'click', item: 'y', recommId: 'list-c', at: at + 9000 },
      { ...other, id: 'event-0005', ...shown, recommId: 'list-a', at: at + 1000 },
      { ...record, id: 'event-0006', ...shown },
      { ...record, id: 'event-0007', ...shown, recommId: 'list-d', visitor: null },
    ]
    const log = mkdtempSync(join(folder, 'shown-'))
    writeFileSync(join(log, 'log.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const { items, visitors, impressions, fingerprint } = await read([edge(log)])
    expect(items.map(({ id }) => id)).toEqual(['x', 'y'])
    expect(visitors).toEqual(['0123456789abcdef'])
    const seconds = at / 1000
    expect(
      Array.from({ length: impressions.count }, (_, k) =>
        Object.values(impressions)
          .slice(1)
          .map((column) => (column as Uint32Array)[k]),
      ),
    ).toEqual([
      [0, 1, 1, 1, seconds, 0],
      [0, 0, 2, 1, seconds, seconds + 5],
      [NOBODY, 1, 1, 0, seconds + 1, 0],
      [NOBODY, 0, 2, 0, seconds + 1, 0],
    ])
    writeFileSync(
      join(log, 'log.ndjson'),
      lines
        .slice(2, 5)
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    )
    const without = await read([edge(log)])
    expect(without.impressions.count).toBe(0)
    expect(without.fingerprint).not.toBe(fingerprint)
  })

  it('counts what a visitor did before a login as the user’s, and forgets both with the user', async () => {
    const at = Date.UTC(2026, 10, 2)
    const [before, user] = ['0123456789abcdef', 'fedcba9876543210']
    const record = { v: 1, country: 'FR', type: 'click', at, received: at }
    const lines = [
      { ...record, id: 'event-0001', item: 'a', visitor: before },
      { ...record, id: 'event-0002', item: 'b', visitor: user },
      { v: 1, id: 'merge-0001', type: 'merge', received: at + 1, visitor: before, into: user },
      { ...record, id: 'event-0003', item: 'c', visitor: '1111111111111111' },
    ]
    const erasure = { v: 1, id: 'erasure-1', type: 'erasure', visitor: user, received: at + 2, until: at + 3 }
    const write = (all: object[]): string => {
      const log = mkdtempSync(join(folder, 'merged-'))
      writeFileSync(join(log, 'log.ndjson'), all.map((line) => `${JSON.stringify(line)}\n`).join(''))
      return log
    }
    const joined = await read([edge(write(lines))])
    expect(joined.visitors).toEqual(['1111111111111111', user])
    expect(joined.items.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect((await read([edge(write(lines.filter(({ type }) => type !== 'merge')))])).visitors).toHaveLength(3)
    expect((await read([edge(write([...lines, erasure]))])).items.map(({ id }) => id)).toEqual(['c'])
  })

  it('is not learned from after an erasure, until the erasure is past', async () => {
    const at = Date.UTC(2026, 10, 2)
    const until = at + 3 * 86_400_000
    const record = { v: 1, visitor: '0123456789abcdef', country: 'FR', type: 'click', at }
    const lines = [
      { ...record, id: 'event-0001', item: 'before', received: at },
      { v: 1, id: 'erasure-1', type: 'erasure', visitor: '0123456789abcdef', received: at + 1000, until },
      { ...record, id: 'event-0002', item: 'late', received: until },
      { ...record, id: 'event-0003', item: 'after', received: until + 1 },
      { ...record, id: 'event-0004', item: 'other', visitor: 'fedcba9876543210', received: at },
    ]
    const log = mkdtempSync(join(folder, 'erased-'))
    writeFileSync(join(log, 'log.ndjson'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const dataset = await read([edge(log)])
    expect(dataset.items.map(({ id }) => id)).toEqual(['after', 'other'])
    expect(dataset.deeds.count).toBe(2)
  })
})

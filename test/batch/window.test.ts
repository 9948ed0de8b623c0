import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Dataset } from '../../batch/dataset.ts'
import { ingest } from '../../batch/ingest.ts'
import { edge } from '../../batch/sources/edge.ts'

/** 23 November 2026, 00:00 UTC. */
const DAY_MS = 86_400_000
const MONDAY = 1_795_392_000_000
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-window-'))
  const click = (id: string, item: string, at: number, received: number): object => ({
    v: 1,
    id,
    type: 'click',
    item,
    at,
    received,
    visitor: '00000000000000aa',
    country: 'GB',
  })
  const file = (day: number, name: string, lines: object[]): void => {
    const folder = join(directory, `events/date=${new Date(MONDAY + day * DAY_MS).toISOString().slice(0, 10)}/hour=00`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  file(0, 'a.ndjson', [click('event-01', 'monday', MONDAY + 1000, MONDAY + 1000)])
  file(1, 'b.ndjson', [
    click('event-02', 'tuesday', MONDAY + DAY_MS, MONDAY + DAY_MS + 5),
    // Sent again on the next day, to another shard.
    click('event-01', 'monday', MONDAY + 1000, MONDAY + DAY_MS + 9),
  ])
  // Three days late, less a second.
  file(3, 'c.ndjson', [click('event-03', 'late', MONDAY + 2000, MONDAY + 3 * DAY_MS + 1000)])
})
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

const days = async (from?: number, to?: number): Promise<Dataset> =>
  ingest([edge(directory)], {
    threads: 2,
    workDirectory: directory,
    ...(from !== undefined && { from: (MONDAY + from * DAY_MS) / 1000 }),
    ...(to !== undefined && { to: (MONDAY + to * DAY_MS) / 1000 }),
  })
const itemsOf = ({ items }: Dataset): string[] => items.map(({ id }) => id)

it('a late event counts on the day it happened, and one sent twice over midnight once', async () => {
  expect(itemsOf(await days(0, 1))).toEqual(['late', 'monday'])
  const all = await days()
  expect([all.deeds.count, all.dropped]).toEqual([3, { 'sent twice': 1 }])
})

it('a window is half open, and says what it left out', async () => {
  const tuesday = await days(1, 2)
  expect(itemsOf(tuesday)).toEqual(['tuesday'])
  expect(tuesday.dropped).toEqual({ 'outside the window': 3 })
  expect((await days(1, 2)).fingerprint).toBe(tuesday.fingerprint)
  expect((await days(4)).deeds.count).toBe(0)
})

it('what was sent twice or too fast is the same, however few rows are compared at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-passes-'))
  try {
    mkdirSync(join(folder, 'events/date=2026-11-23/hour=00'), { recursive: true })
    // 300 visitors, each with 12 clicks on one of their two items; every third event comes twice, far apart.
    const lines = Array.from({ length: 3600 }, (_, n) => {
      const at = MONDAY + 5000 * n
      return `${JSON.stringify({ v: 1, id: `event-${n}`, type: 'click', item: `item-${(n % 300) + (n % 7 === 0 ? 1 : 0)}`, at, received: at, visitor: (n % 300).toString(16).padStart(16, '0'), country: 'GB' })}\n`
    })
    writeFileSync(join(folder, 'events/date=2026-11-23/hour=00/a.ndjson'), [...lines, ...lines.filter((_, n) => n % 3 === 0)].join(''))
    const read = (rowsAPass?: number): Promise<Dataset> =>
      ingest([edge(folder)], { threads: 2, workDirectory: folder, ...(rowsAPass !== undefined && { rowsAPass }) })
    const whole = await read()
    expect(whole.dropped['sent twice']).toBe(1200)
    expect(whole.dropped['faster than a person']).toBeGreaterThan(500)
    const parts = await read(97)
    expect([parts.fingerprint, parts.dropped]).toEqual([whole.fingerprint, whole.dropped])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

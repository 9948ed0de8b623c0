import { describe, expect, it } from 'vitest'
import { erasuresIn, purge } from '../../shared/archive-lines.ts'
import { daysOf, hasExpired, parseRetention, periodsPassed } from '../../shared/retention.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 23)

describe('retention', () => {
  const retention = parseRetention('impression=30, click=90,other=200')

  it('is told a type at a time, erasures longest', () => {
    expect(['impression', 'click', 'purchase', 'erasure'].map((type) => daysOf(retention, type))).toEqual([30, 90, 200, 400])
    expect(daysOf(parseRetention(''), 'click')).toBe(400)
    expect(hasExpired(retention, { type: 'impression', received: NOW - 30 * DAY }, NOW)).toBe(false)
    expect(hasExpired(retention, { type: 'impression', received: NOW - 30 * DAY - 1 }, NOW)).toBe(true)
  })

  it.each(['impression', 'impression=0', 'impression=ten', '=10', 'click=1=2', 'click=-5'])('"%s" is refused', (text) => {
    expect(() => parseRetention(text)).toThrow(/RETENTION_DAYS/)
  })

  it('knows when a day is worth a look: once for each period that ends', () => {
    const passed = [30, 31, 90, 91, 200, 201, 400, 401].map((days) => periodsPassed(retention, '2026-01-01', Date.UTC(2026, 0, 1 + days)))
    expect(passed.map((one) => one.passed)).toEqual([0, 1, 1, 2, 2, 3, 3, 4])
    expect(passed.map(({ all }) => all)).toEqual([false, false, false, false, false, false, false, true])
  })
})

describe('a file of the archive', () => {
  const line = (visitor: string | null, received: number, type = 'click'): string => JSON.stringify({ v: 1, type, visitor, received })
  const retention = parseRetention('impression=30,other=400')

  it('loses what an erased visitor did until the erasure took effect, and what has had its time, and nothing else', () => {
    const kept = [line('b', NOW - DAY), line('a', NOW + 1), line(null, NOW - DAY), line('a', NOW, 'erasure'), 'no JSON', '{"odd":true}']
    const gone = [line('a', NOW - DAY), line('a', NOW), line('b', NOW - 31 * DAY, 'impression')]
    const text = [...gone, ...kept].map((one) => `${one}\n`).join('')
    const purged = purge(text, new Map([['a', NOW]]), retention, NOW)
    expect(purged).toEqual({ text: kept.map((one) => `${one}\n`).join(''), forgotten: 2, expired: 1, visitors: ['a'] })
    // Without an erasure and without an end, all of it stays.
    expect(purge(text, new Map(), parseRetention(''), NOW)).toMatchObject({ text, forgotten: 0, expired: 0 })
  })

  it('says whom it erases', () => {
    const erasure = JSON.stringify({ v: 1, type: 'erasure', visitor: 'a', received: NOW, until: NOW + 5 })
    expect(erasuresIn(`${line('b', NOW)}\n${erasure}\n`)).toEqual([['a', NOW + 5]])
    expect(erasuresIn('"type":"erasure" broken\n')).toEqual([])
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { billOf } from '../../batch/cost/bill.ts'
import { type Measured, readMeasured } from '../../batch/cost/measured.ts'
import { METERS, type Meter, PRICES } from '../../batch/cost/prices.ts'
import { sum, USUAL, usageOf, type Workload } from '../../batch/cost/usage.ts'

const load = (changes: Partial<Workload> = {}): Workload => ({
  ...USUAL,
  recommendations: 100e6,
  eventPosts: 20e6,
  items: 50_000,
  visitors: 5e6,
  ...changes,
})
const nothing: Measured = () => 0
const only =
  (of: Record<string, number>): Measured =>
  (scenario, metric) =>
    of[`${scenario} ${metric}`] ?? 0
const lineOf = (bill: ReturnType<typeof billOf>, meter: Meter) => bill.lines.find((line) => line.meter === meter)

describe('a month’s bill', () => {
  it('is the sum that the price pages’ own examples come to', () => {
    // Workers pricing, example 1: 15 million requests of 7 ms each = $8.00, with the plan.
    const bill = billOf(load({ recommendations: 15e6, eventPosts: 0, items: 0, visitors: 0, objectShare: 0 }), only({ 'token cpu-ms': 7 }))
    expect(lineOf(bill, 'requests')?.dollars).toBeCloseTo(1.5, 10)
    expect(lineOf(bill, 'cpu-ms')?.dollars).toBeCloseTo(1.5, 10)
    expect(bill.dollars).toBeCloseTo(8, 10)
    expect(bill.perMillion).toBeCloseTo(8 / 15, 10)
  })

  it('counts a kind of request as often as it occurs', () => {
    const usage = usageOf(
      load({ recommendations: 100, listShare: 0.5, objectShare: 0.2, eventPosts: 10, visitors: 20, newShare: 0.1, shards: 1 }),
      only({ 'object object-ops': 1, 'event object-ops': 2, 'first-event object-ops': 3, 'flush object-ops': 1, 'list kv-ops': 1 }),
    )
    expect(usage.recommendations).toMatchObject({ requests: 100, 'object-requests': 10, 'kv-reads': 50 })
    const changed = usageOf(load({ catalogueChanges: 7 }), only({ 'change kv-writes': 1, 'change object-ops': 3 }))
    expect(changed.freshness).toMatchObject({ requests: 7, 'object-requests': 21 })
    // 2 of the 10 make an object; no more flushes than posts.
    expect(usage.events).toMatchObject({ requests: 10, 'object-requests': 8 * 2 + 2 * 3 + 10 })
  })

  it('has the committed measurements pay for every line that a site uses', () => {
    const total = sum(...Object.values(usageOf(load(), readMeasured(undefined))))
    for (const meter of METERS) expect(total[meter], meter).toBeGreaterThan(0)
  })

  it('says which limit of the free plan is hit first, and what would be saved', () => {
    const bill = billOf(load(), readMeasured(undefined))
    expect(bill.free).toMatchObject({ enough: false, first: 'requests' })
    expect(bill.free.times).toBeCloseTo(120e6 / 3e6, 5)
    const halved = billOf(load({ eventPosts: 10e6 }), readMeasured(undefined))
    expect(bill.advice.join('\n')).toContain(`saves $${(bill.dollars - halved.dollars).toFixed(2)}`)
    const small = billOf(load({ recommendations: 1e5, eventPosts: 2e4, items: 500, visitors: 1000, isolates: 1 }), readMeasured(undefined))
    expect(small).toMatchObject({ dollars: 5, advice: [], free: { enough: true } })
    const busy = billOf(load({ recommendations: 1000, eventPosts: 0, items: 0, visitors: 0 }), only({ 'token cpu-ms': 14 }))
    expect(busy.free).toMatchObject({ enough: false, first: 'cpu-a-request' })
  })

  it('says what the paid plan holds least of, and what brings the free plan’s first limit further away', () => {
    const reads = only({ 'isolate-hour kv-ops': 600, 'object object-ops': 1 })
    const site = load({ recommendations: 5e6, eventPosts: 0, items: 0, visitors: 0, isolates: 10 })
    const bill = billOf(site, reads)
    // 10 isolates · 720 hours · 600 reads of the 3 million that a month of the free plan has.
    expect(bill.free).toMatchObject({ first: 'requests' })
    expect(bill.paid).toEqual({ first: 'requests', times: 0.5 })
    const busy = billOf({ ...site, recommendations: 2.4e6 }, reads)
    expect(busy.free.first).toBe('kv-reads')
    expect(busy.free.advice).toEqual([expect.stringContaining('look for the overlay every 30 s')])
    expect(Number(/then (\d+) %/.exec(busy.free.advice[0])?.[1]) / 100).toBeLessThan(0.9 * busy.free.times)
    expect(billOf({ ...site, objectShare: 1 }, reads).paid).toEqual({ first: 'object-requests', times: 5 })
  })

  it('costs nothing but the plan where nothing was measured and nothing is asked', () => {
    expect(billOf(load({ recommendations: 0, eventPosts: 0, items: 0, visitors: 0 }), nothing).dollars).toBe(5)
  })
})

it('names a page of Cloudflare’s for every price', () => {
  for (const meter of METERS) expect(PRICES[meter].page).toMatch(/^https:\/\/developers\.cloudflare\.com\//)
})

describe('npx nightjar cost', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightjar-cost-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const cost = (...options: string[]) =>
    execa(process.execPath, [join(import.meta.dirname, '../../batch/bin/nightjar.mjs'), 'cost', ...options], { reject: false })
  const site = ['--recommendations', '1.5M', '--event-posts', '200k', '--items', '900', '--visitors', '10k']

  it('prefers rows of a bench to the committed ones, each the mean over connections', async () => {
    const file = join(folder, 'edge.json')
    const row = { scenario: 'token', metric: 'cpu-ms' }
    writeFileSync(
      file,
      JSON.stringify([
        { ...row, connections: 1, value: 1 },
        { ...row, connections: 4, value: 3 },
        { scenario: 'floor', connections: 1, metric: 'rps', value: 9 },
      ]),
    )
    expect(readMeasured(file)('token', 'cpu-ms')).toBe(2)
    expect(readMeasured(file)('object', 'object-ops')).toBe(1)
    const { stdout, exitCode } = await cost(...site, '--measured', file, '--json')
    expect(exitCode).toBe(0)
    const { lines, load: read } = JSON.parse(stdout)
    expect(read).toMatchObject({ recommendations: 1_500_000, eventPosts: 200_000, items: 900, visitors: 10_000 })
    expect(lines.find(({ meter }: { meter: Meter }) => meter === 'requests')).toMatchObject({ amount: 1_700_000, dollars: 0 })
  })

  it('says in one line what is wrong with what it is given', async () => {
    const notRows = join(folder, 'not-rows.json')
    writeFileSync(notRows, '[{"scenario":"token","metric":"cpu-ms","value":"much"}]')
    const useless = join(folder, 'useless.json')
    writeFileSync(useless, '[{"scenario":"floor","metric":"rps","value":9}]')
    for (const [options, words] of [
      [['--recommendations', '10 million'], 'It must be a number like 50000, 50k or 1.5M.'],
      [[...site, '--object-share', '2'], 'It must be from 0 to 1.'],
      [[...site, '--measured', join(folder, 'nowhere.json')], 'cannot be read'],
      [[...site, '--measured', notRows], 'bench edge --json FILE'],
      [[...site, '--measured', useless], 'no row of a scenario that is billed'],
      [['--items', '5'], 'required option'],
    ] as const) {
      const { stderr, exitCode } = await cost(...options)
      expect(exitCode).toBe(2)
      expect(stderr).toContain(words)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })
})

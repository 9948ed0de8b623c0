import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../batch/config.ts'
import { ingest } from '../../batch/ingest.ts'
import { learn } from '../../batch/learn/learn.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { edge } from '../../batch/sources/edge.ts'
import { randomStream } from '../../shared/random.ts'

/** 23 November 2026, 00:00 UTC. */
const DAY = 1_795_392_000_000
const ITEMS = 20
const CLICKS = 100_000
let directory: string

/** 300 people click three items each; one pseudonym clicks item 19 and, beside it, item 0, a hundred thousand times in a day. */
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-poisoned-'))
  const random = randomStream(3)
  const line = (visitor: number, n: number, item: number, at: number): string =>
    JSON.stringify({
      v: 1,
      id: `event-${visitor}-${n}`,
      type: 'click',
      item: `i${item}`,
      at,
      received: at,
      visitor: String(visitor).padStart(16, '0'),
      country: 'GB',
    })
  const people = Array.from({ length: 900 }, (_, n) => line(n % 300, n, Math.floor(random() * (ITEMS - 1)), DAY + 60_000 * n))
  const poison = Array.from({ length: CLICKS }, (_, n) => line(999, n, n % 2 === 0 ? 19 : 0, DAY + 800 * n))
  writeFileSync(join(directory, 'log.ndjson'), `${[...people, ...poison].join('\n')}\n`)
})
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

async function learned(humanPace: boolean) {
  const dataset = await ingest([edge(directory)], { threads: 2, workDirectory: directory, humanPace })
  const config = { ...readConfig(undefined), dimensions: 8 }
  return {
    dataset,
    ...(await learn({ dataset, until: dataset.to + 1 }, config, { ...USUAL_RECALL, candidates: 50 }, async () => undefined)),
  }
}

describe('one visitor with 100,000 clicks', () => {
  it('keeps no more than five deeds an item and day, is reported, and pushes nothing up', async () => {
    const { dataset, lists } = await learned(true)
    const poisoner = dataset.visitors.indexOf('0000000000000999')
    const own = Array.from(dataset.deeds.visitor).filter((visitor) => visitor === poisoner).length
    // Two items, within two days by UTC at most.
    expect(own).toBeLessThanOrEqual(2 * 2 * 5)
    expect(dataset.deeds.count).toBe(900 + own)
    expect(dataset.dropped).toEqual({ 'faster than a person': CLICKS - own })
    const everywhere = lists.find(({ region, cohort }) => region === '*' && cohort === -1)
    expect(everywhere?.items.indexOf(dataset.items.findIndex(({ id }) => id === 'i19'))).toBe(ITEMS - 1)
  }, 120_000)

  it('would be nearly all that is learned from, without that', async () => {
    const { dataset } = await learned(false)
    expect(dataset.deeds.count).toBe(900 + CLICKS)
  }, 120_000)
})

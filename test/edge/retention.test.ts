import { reset } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { enforceRetention } from '../../workers/cron/retention.ts'
import { archive } from './events-client.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 1)
const settings = (text: string): Env => ({ ...env, RETENTION_DAYS: text }) as unknown as Env
const put = (day: string, file: number, types: string[]): Promise<unknown> =>
  env.EVENTS.put(
    `events/date=${day}/hour=00/s-${String(file).padStart(3, '0')}.ndjson`,
    types
      .map((type, i) => `${JSON.stringify({ v: 1, id: `event-${file}-${i}`, type, received: Date.parse(day), visitor: null })}\n`)
      .join(''),
  )
const types = async (): Promise<string[]> => (await archive()).lines.map(({ type }) => type).sort()
/** As many runs as a day has. */
const runs = async (bindings: Env, now: number, most = 8): Promise<void> => {
  for (let i = 0; i < most; i++) await enforceRetention(bindings, now)
}

// Before as well: another file may have left its events in the archive.
beforeEach(() => reset())
afterEach(() => reset())

test('the cron takes out each type after its time, and in the end whole days', async () => {
  const kept = settings('impression=10,click=20,erasure=30,other=30')
  await put('2026-01-01', 1, ['impression', 'click', 'purchase'])
  await put('2026-01-20', 1, ['impression'])
  await runs(kept, START + 10 * DAY)
  expect(await types()).toEqual(['click', 'impression', 'impression', 'purchase'])
  await runs(kept, START + 11 * DAY)
  expect(await types()).toEqual(['click', 'impression', 'purchase'])
  await runs(kept, START + 21 * DAY)
  expect(await types()).toEqual(['impression', 'purchase'])
  await runs(kept, START + 31 * DAY)
  expect(await types()).toEqual([])
})

test('a day of many files is gone through bit by bit, and each once', async () => {
  const kept = settings('impression=10')
  for (let file = 0; file < 30; file++) await put('2026-01-01', file, ['impression', 'click'])
  await enforceRetention(kept, START + 12 * DAY)
  expect((await types()).filter((type) => type === 'impression')).toHaveLength(18)
  await runs(kept, START + 12 * DAY)
  expect(await types()).toEqual(Array.from({ length: 30 }, () => 'click'))
})

test('a setting that cannot be read deletes nothing', async () => {
  await put('2026-01-01', 1, ['click'])
  await expect(enforceRetention(settings('click=soon'), START + 1000 * DAY)).rejects.toThrow(/RETENTION_DAYS/)
  expect(await types()).toEqual(['click'])
})

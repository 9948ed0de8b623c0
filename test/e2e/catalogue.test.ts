import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { recordDevServer } from '../../batch/stores/dev-server.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { startPublished, type TestEdge } from './server.ts'

const ROOT = join(import.meta.dirname, '../..')
/** What a newsroom is promised: from the API's yes to every reader's page. */
const PROMISED_MS = 120_000

let edge: TestEdge
let adminKey: string
beforeAll(async () => {
  edge = await startPublished()
  recordDevServer(edge.directory, edge)
  adminKey = parseEnv(readFileSync(join(ROOT, '.dev.vars'), 'utf8')).ADMIN_KEY ?? ''
})
afterAll(() => edge?.stop())

const change = async (method: string, path: string, body?: object): Promise<number> =>
  (
    await fetch(edge.url + path, {
      method,
      headers: { authorization: `Bearer ${adminKey}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  ).status
const idsOf = async (path: string): Promise<string[]> =>
  ((await (await fetch(edge.url + path)).json()) as RecommendationAnswer).items.map(({ id }) => id)

it('a story put at nine is read at nine: listed, like others, and gone when it is taken back; without a night', async () => {
  const [sample] = ((await (await fetch(`${edge.url}/v1/lists/*/popular`)).json()) as RecommendationAnswer).items
  const { title, category, price } = sample?.values ?? {}
  expect(await change('PUT', '/v1/items', { items: [{ id: 'story-1', title, category, price }] })).toBe(200)
  const since = Date.now()
  await expect.poll(() => idsOf('/v1/latest?limit=1'), { timeout: PROMISED_MS, interval: 500 }).toEqual(['story-1'])
  expect(await idsOf('/v1/items/story-1/similar')).toContain(sample?.id)
  expect(await idsOf(`/v1/items/${sample?.id}/similar?limit=100`)).toContain('story-1')

  const [sold] = await idsOf('/v1/lists/*/popular')
  expect(await change('PUT', '/v1/items', { items: [{ id: sold, available: false }], remove: ['story-1'] })).toBe(200)
  await expect.poll(() => idsOf('/v1/lists/*/popular'), { timeout: PROMISED_MS, interval: 500 }).not.toContain(sold)
  await expect.poll(() => idsOf('/v1/latest?limit=1'), { timeout: PROMISED_MS, interval: 500 }).not.toContain('story-1')
  expect(Date.now() - since).toBeLessThan(PROMISED_MS)
})

it('the night takes it all in, and the cron then leaves it to the release', async () => {
  expect(await change('PUT', '/v1/items', { items: [{ id: 'story-2', title: 'Hygge night', category: 'Wall Art', price: 9 }] })).toBe(200)
  const { exitCode, stderr } = await execa(
    process.execPath,
    [join(ROOT, 'batch/bin/nightjar.mjs'), 'nightly', '--directory', edge.directory, '--source', 'shop', '--force', '--json'],
    { reject: false },
  )
  expect([exitCode, stderr]).toEqual([0, expect.anything()])
  const { stdout } = await execa(process.execPath, [
    join(ROOT, 'batch/bin/nightjar.mjs'),
    'show',
    '--directory',
    edge.directory,
    '--item',
    'story-2',
    '--json',
  ])
  expect((JSON.parse(stdout) as { id: string }[]).length).toBeGreaterThan(0)
})

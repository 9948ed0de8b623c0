import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { judgeReplay, type ReplayVerdict } from '../../batch/evaluate/replay/judge-replay.ts'
import { type Plan, planVisits } from '../../batch/evaluate/replay/plan.ts'
import { cutBefore } from '../../batch/evaluate/trials/cut.ts'
import { ingest } from '../../batch/ingest.ts'
import { shop } from '../../batch/sources/shop.ts'
import { generateShop } from '../../batch/sources/shop-generator.ts'
import { type BuiltEdge, startBuiltEdge } from '../../scripts/built-edge.ts'
import { TOKEN_ITEMS } from '../../shared/memory.ts'

const DAY = 86_400
const END = Date.UTC(2026, 10, 1) / 1000
const SECRETS = { ID_KEY: 'id', IDENTITY_KEY: 'identity', ADMIN_KEY: 'admin', TOKEN_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}` }

const directory = mkdtempSync(join(tmpdir(), 'nightjar-replay-'))
let built: BuiltEdge | undefined
let plan: Plan
let verdict: ReplayVerdict

beforeAll(async () => {
  await generateShop(join(directory, 'shop'), { seed: 7, visitors: 800, days: 40, end: END })
  const source = shop(join(directory, 'shop'), 1000 * END)
  const options = { threads: 2, workDirectory: directory }
  const all = await ingest([source], options)
  const split = all.to - 10 * DAY
  const train = await ingest([cutBefore(source, split)], options)
  plan = planVisits(all, train, split, { remembered: TOKEN_ITEMS, limit: 100, seed: 1 })
  built = await startBuiltEdge({ ...SECRETS, BENCH: 'on', WRITE_KEY: 'bench', ANSWER_WITHIN_MS: '60000' })
  verdict = await judgeReplay({
    dataset: 'shop',
    train,
    plan: () => Promise.resolve(plan),
    edge: { ...built, writeKey: 'bench', identityKey: SECRETS.IDENTITY_KEY, idKey: SECRETS.ID_KEY },
    memory: 'token',
    config: { ...readConfig(undefined), decisions: 2000, trials: 1 },
    progress: silentProgress,
  })
})

afterAll(async () => {
  await built?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const figure = (metric: string): number | undefined =>
  verdict.rows.find((row) => row.system === 'nightjar (served)' && row.metric === metric)?.value

it('what is served is what is computed offline, item by item', () => {
  expect(plan.queries.length).toBeGreaterThanOrEqual(100)
  expect(verdict.differences).toEqual([])
  expect(figure('identical')).toBe(1)
  expect(figure('hitrate@20')).toBeGreaterThan(0.1)
  expect(figure('mrr@20')).toBeGreaterThan(0.02)
})

it('asks visitors with an imported past, a past of their own at the edge, and none', () => {
  const oldest = plan.queries.map(({ history }) => history.reduce((most, { age }) => Math.max(most, age), 0))
  expect(oldest.some((age) => age > 11 * DAY)).toBe(true)
  expect(oldest.some((age) => age > 0.5 * DAY && age < 10 * DAY)).toBe(true)
  expect(plan.visitors.some(({ imported }) => !imported)).toBe(true)
})

it('is answered by ONNX, from the first question on', () => {
  expect(verdict.rungs).toEqual({ onnx: plan.queries.length })
})

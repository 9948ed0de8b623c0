import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describedPlan } from '../../batch/cli/described-plan.ts'
import { silentProgress } from '../../batch/cli/progress.ts'
import { type Config, readConfig } from '../../batch/config.ts'
import { type NightReport, night } from '../../batch/night/night.ts'
import type { Plan } from '../../batch/release/plan.ts'
import { onlineRetail } from '../../batch/sources/online-retail.ts'
import { openStores, type Stores } from '../../batch/stores/open-stores.ts'
import { packKey } from '../../shared/release/keys.ts'

const SLICE = join(import.meta.dirname, 'fixtures/online-retail-slice.csv.gz')
const quick = { ...readConfig(undefined), decisions: 240, candidates: 60, epochs: 1, trials: 1 }

let folder: string
let stores: Stores
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nightjar-plan-'))
  stores = await openStores({ kind: 'local', persist: join(folder, 'state') })
})
afterAll(async () => {
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (config: Config, plan: boolean, now: number): Promise<NightReport> =>
  night({
    sources: [onlineRetail(SLICE)],
    config,
    kv: stores.kv,
    blobs: stores.blobs,
    directory: folder,
    idKey: null,
    force: false,
    plan,
    threads: 2,
    now,
    progress: silentProgress,
  })
const planOf = async (config: Config, now: number): Promise<{ report: NightReport; plan: Plan }> => {
  const report = await run(config, true, now)
  if (report.plan === undefined) throw new Error('no plan was made')
  return { report, plan: report.plan }
}
const keys = async (): Promise<string[]> => [...(await stores.kv.list('')), ...(await stores.blobs.list(''))]

describe('a planned night', () => {
  it('says what the first one would write, and writes nothing', async () => {
    const { report, plan } = await planOf(quick, 1)
    expect(report.published).toBe(false)
    expect(await keys()).toEqual([])
    expect(plan).toMatchObject({ kvDeletes: 0, reused: 0 })
    expect(plan.differences).toContainEqual({ name: 'items', live: null, planned: report.items })
    expect(describedPlan(report, plan)).toContain(`Release ${plan.release} would go live; nothing was written.`)

    const published = await run(quick, false, 2)
    expect(published).toMatchObject({ release: plan.release, kvWrites: plan.kvWrites, published: true })
    // What was computed for the plan was not computed again.
    expect(published.stages.find(({ name }) => name === 'learn')).toMatchObject({ resumed: true })
    expect(await stores.kv.list('')).toHaveLength(plan.kvWrites)
    expect(await stores.blobs.list('releases/')).toHaveLength(plan.r2Writes)
  })

  it('says that nothing is to be done where nothing has changed', async () => {
    const { report, plan } = await planOf(quick, 3)
    expect(plan).toMatchObject({ release: report.release, kvWrites: 0, kvDeletes: 0, r2Writes: 0, written: 0, reused: plan.packs })
    expect(plan.bill.every(({ dollars }) => dollars === 0)).toBe(true)
    for (const { live, planned } of plan.differences) expect(live).toEqual(planned)
  })

  it('says how another release differs from the live one, and what no release names any more', async () => {
    await stores.kv.put([{ key: packKey('0'.repeat(32)), value: 'left by a night that was killed' }])
    const before = await keys()
    const other = { ...quick, epochs: 0, neighboursPerItem: 20 }
    const { plan } = await planOf(other, 8)
    expect(await keys()).toEqual(before)
    expect(plan.kvDeletes).toBe(1)
    expect(plan.reused).toBeLessThan(plan.packs)
    const bytes = plan.differences.find(({ name }) => name === 'bytes')
    expect(Number(bytes?.planned)).toBeLessThan(Number(bytes?.live))
    const writes = plan.bill.find(({ meter }) => meter === 'kv-writes')
    expect(writes?.amount).toBe(30 * plan.kvWrites)
    expect(await run(other, false, 8)).toMatchObject({ release: plan.release, kvWrites: plan.kvWrites, kvDeletes: plan.kvDeletes })
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { families } from '../../batch/learn/families.ts'
import { type NightReport, night } from '../../batch/night/night.ts'
import { attemptsOf, settingsOf } from '../../batch/ranker/attempts.ts'
import { readChannel } from '../../batch/release/release-store.ts'
import { files } from '../../batch/sources/files.ts'
import { openStores, type Stores } from '../../batch/stores/open-stores.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import { tastes } from './support/tastes.ts'

/** A ridge so strong that whatever else is tried is better. */
const config = { ...readConfig(undefined), ridgeBase: 100_000, trials: 3, epochs: 1, decisions: 300, candidates: 40 }
const NOON = Date.parse('2026-08-01T12:00:00Z') / 1000
const DAY = 86_400

describe('a night after another', () => {
  let folder: string
  let stores: Stores
  const { deeds, from, to } = tastes({ visitors: 240, items: 40, seed: 7 })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'nightjar-warm-'))
    stores = await openStores({ kind: 'local', persist: join(folder, 'state') })
  })
  afterAll(async () => {
    await stores.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A forced night on what happened until so many days before the end. */
  async function run(daysBefore: number, own: Partial<typeof config> = {}): Promise<{ report: NightReport; manifest: Manifest }> {
    const rows = Array.from(deeds.at.keys())
      .filter((k) => deeds.at[k] <= to - daysBefore * DAY)
      .map((k) => `v${deeds.visitor[k]},i${deeds.item[k]},${new Date(1000 * (NOON + deeds.at[k] - from)).toISOString()}`)
    const events = join(folder, 'events.csv')
    writeFileSync(events, `visitor,item,at\n${rows.join('\n')}\n`)
    const report = await night({
      sources: [files({ events })],
      config: { ...config, ...own },
      kv: stores.kv,
      blobs: stores.blobs,
      directory: folder,
      idKey: null,
      force: true,
      threads: 2,
      now: 1_000 * ++nights,
      progress: silentProgress,
    })
    const channel = await readChannel(stores.kv)
    if (channel === null) throw new Error('nothing is published')
    return { report, manifest: channel.stable.manifest }
  }
  let nights = 0

  it('begins with the settings that the last one found, and repeated begins where it began', async () => {
    const first = await run(2)
    expect(first.manifest.lineage.start).toBeNull()
    const found = first.manifest.settings
    if (found === undefined) throw new Error('the first night searched nothing')
    expect(families.some((family) => Object.entries(settingsOf(family, config)).some(([name, value]) => found[name] !== value))).toBe(true)

    const second = await run(1)
    expect(second.manifest.lineage.start).toEqual(found)
    for (const family of families) {
      const [start] = second.manifest.tried.filter((tried) => tried.family === family.name)
      expect(start.setting).toEqual(settingsOf(family, { ...config, ...found }))
    }

    const again = await run(1)
    expect(again.report).toMatchObject({ release: second.report.release, kvWrites: 0 })
    expect((await run(0)).manifest.lineage.start).toEqual(second.manifest.settings)
  })

  it('begins anew when the configuration is another', async () => {
    const { manifest } = await run(0, { hop: 0.2 })
    expect(manifest.lineage.start).toBeNull()
    const [start] = manifest.tried.filter(({ family }) => family === 'together')
    expect(start.setting).toMatchObject({ hop: 0.2 })
  })
})

describe('what a family tries', () => {
  const family = { tried: { hop: [0, 1], stepDecay: [5, 7], backward: [1] } }
  const { hop, stepDecay } = config
  const cold = [{ hop: 0 }, { hop: 1 }, { stepDecay: 5 }, { stepDecay: 7 }, { backward: 1 }]

  it('is its grid from the most telling on where the search starts anew, whatever day it is', () => {
    for (const day of [0, 1, 20_000]) expect(attemptsOf(family, config, { start: null, day }, 3)).toEqual(cold.slice(0, 3))
  })

  it('is what the configuration says in place of what was found, where something was', () => {
    const attempts = attemptsOf(family, config, { start: { hop: 1, stepDecay: 7 }, day: 0 }, 10)
    expect(attempts).toEqual([{ hop }, { hop: 0 }, { stepDecay }, { stepDecay: 5 }, { backward: 1 }])
  })

  it('gets round the whole grid in days that follow each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 30_000 }), (most, day) => {
        const nights = Array.from({ length: Math.ceil(cold.length / most) }, (_, i) =>
          attemptsOf(family, config, { start: {}, day: day + i }, most),
        )
        for (const attempts of nights) expect(attempts).toHaveLength(Math.min(most, cold.length))
        expect(new Set(nights.flat().map((setting) => JSON.stringify(setting))).size).toBe(cold.length)
      }),
    )
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import type { Dataset } from '../../batch/dataset.ts'
import { learnRelease } from '../../batch/evaluate/release.ts'
import { type DatasetName, openTrial } from '../../batch/evaluate/trials/trials.ts'
import { learn } from '../../batch/learn/learn.ts'
import { regionsOf, requestOf } from '../../batch/ranker/choose.ts'
import { type Decision, sampleDecisions } from '../../batch/ranker/decisions.ts'
import { servedOnNights } from '../../batch/ranker/past-nights.ts'
import { USUAL_RECALL } from '../../batch/ranker/usual-recall.ts'
import { trialView } from '../../batch/release/assemble.ts'
import { randomStream } from '../../shared/random.ts'
import { recall } from '../../shared/ranking/candidates.ts'
import { candidateFeatures } from '../../shared/ranking/rank.ts'
import { RecallSpace } from '../../shared/ranking/recall-space.ts'
import { type DeedRow, datasetOf } from './support/dataset-of.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const config = { ...readConfig(undefined), trials: 1, epochs: 1, minVisitors: 1 }

/** The release that a night would learn where the data sets are these files, and how many questions there are. */
async function learned(name: DatasetName, files: Record<string, string[]>): Promise<{ release: string; queries: number | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-leakage-'))
  folders.push(folder)
  for (const [file, lines] of Object.entries(files)) {
    mkdirSync(join(folder, file, '..'), { recursive: true })
    writeFileSync(join(folder, file), gzipSync(`${lines.join('\n')}\n`))
  }
  const trial = await openTrial(name, folder, { threads: 1, workDirectory: folder })
  const { release } = await learnRelease(trial, config, silentProgress)
  const queries = await trial.tasks().then(
    ([{ queries }]) => queries.length,
    () => null,
  )
  return { release, queries }
}

/** Lines in another order, the same every time. */
function permuted(lines: readonly string[]): string[] {
  const random = randomStream(5)
  return lines
    .map((line) => ({ line, draw: random() }))
    .sort((a, b) => a.draw - b.draw)
    .map(({ line }) => line)
}

describe('what is asked afterwards', () => {
  const random = randomStream(11)
  const sessions = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => from + i).flatMap((session) => {
      const taste = session % 4
      const clicks = 3 + Math.floor(random() * 4)
      return Array.from(
        { length: clicks },
        (_, step) => `${session}\titem${5 * taste + Math.floor(random() * 5)}\t${1e9 + session * 600 + step}`,
      )
    })
  const header = 'SessionId\tItemId\tTime'
  const train = [header, ...sessions(0, 200)]
  const test = sessions(200, 240)

  it('can be deleted or permuted, when it lies in a file of its own, and the release stays', async () => {
    const whole = await learned('serenade-bolcom', {
      'serenade-bolcom/train.tsv.gz': train,
      'serenade-bolcom/test.tsv.gz': [header, ...test],
    })
    const otherwise = await learned('serenade-bolcom', {
      'serenade-bolcom/train.tsv.gz': train,
      'serenade-bolcom/test.tsv.gz': [header, ...permuted(test.map((line) => line.replace(/item\d+/, 'item1')))],
    })
    const without = await learned('serenade-bolcom', { 'serenade-bolcom/train.tsv.gz': train })
    const less = await learned('serenade-bolcom', { 'serenade-bolcom/train.tsv.gz': train.slice(0, -1) })
    expect(whole.queries).toBeGreaterThan(100)
    expect(without.queries).toBeNull()
    expect([otherwise.release, without.release]).toEqual([whole.release, whole.release])
    expect(less.release).not.toBe(whole.release)
  })

  it('can be deleted or permuted, when it is the later part of one file, and the release stays', async () => {
    const split = Date.parse('2013-08-01T00:00:00Z') / 1000
    const rating = (user: number, at: number): string => `${user}::${5 * (user % 4) + Math.floor(random() * 8)}::7::${at}`
    const before = Array.from({ length: 600 }, (_, i) => rating(i % 60, split - 3_000_000 + 4000 * i))
    const after = Array.from({ length: 200 }, (_, i) => rating(i % 80, split + 4000 * i))
    const movies = Array.from({ length: 30 }, (_, i) => `${i}::Film ${i} (19${50 + i})::${i % 2 ? 'Drama' : 'Comedy'}`)
    const withAfter = (lines: readonly string[]): Promise<{ release: string }> =>
      learned('movietweetings', {
        'movietweetings-100k/ratings.dat.gz': [...before, ...lines],
        'movietweetings-100k/movies.dat.gz': movies,
      })
    const whole = await withAfter(after)
    expect((await withAfter(permuted(after))).release).toBe(whole.release)
    expect((await withAfter([])).release).toBe(whole.release)
  })
})

describe('features as of a decision', () => {
  const PARTING = 10_000_000
  const LATER = 10_600_000
  const MARK = 24
  const random = randomStream(21)
  const rows = Array.from({ length: 60 }, (_, visitor) => visitor).flatMap((visitor) =>
    Array.from({ length: 8 }, (_, session) => session).flatMap((session) =>
      Array.from({ length: 4 }, (_, step): DeedRow => {
        const at = 9_000_000 + session * 250_000 + visitor * 100 + step * 20
        return { visitor, item: 6 * (visitor % 4) + Math.floor(random() * 6), at, session: visitor * 8 + session }
      }),
    ),
  )
  // What happens later happens later still, and to another item.
  const shifted = rows.map((row) => (row.at < LATER ? row : { ...row, at: row.at + 5_000_000, item: MARK }))

  /** Decisions whose number does not hang on what follows, each with the features of its candidates. */
  async function featuresOf(dataset: Dataset): Promise<{ decision: Decision; features: number[] }[]> {
    const usual = { ...USUAL_RECALL, candidates: 50 }
    const view = await trialView(dataset, await learn({ dataset, until: PARTING }, config, usual, () => Promise.resolve()), usual)
    const space = new RecallSpace(dataset.items.length)
    return sampleDecisions(dataset, PARTING, { decisions: 100_000, remembered: 50, seed: 1, timed: true })
      .filter(({ kind }) => kind !== 'discovery')
      .map((decision) => {
        const request = requestOf(view, regionsOf(view), decision)
        const candidates = recall(view, space, request, () => true)
        return { decision, features: [...candidates.item, ...candidateFeatures(view, candidates, request)] }
      })
  }

  it('stay when later events change', async () => {
    const own = await featuresOf(datasetOf(60, 25, rows))
    const other = await featuresOf(datasetOf(60, 25, shifted))
    expect(other).toHaveLength(own.length)
    const earlier = own.filter((_, i) => [...other[i].decision.next].some((item) => item !== MARK))
    const same = other.filter(({ decision }) => [...decision.next].some((item) => item !== MARK))
    expect(new Set(earlier.map(({ decision }) => decision.kind))).toEqual(new Set(['step', 'opening']))
    expect(earlier.length).toBeGreaterThan(200)
    expect(same.map(({ features }) => features)).toEqual(earlier.map(({ features }) => features))
    expect(same.map(({ decision }) => decision.history)).toEqual(earlier.map(({ decision }) => decision.history))
    // The shift is one that decisions after it do see.
    expect(other.some(({ decision }) => decision.history.some(({ item }) => item === MARK))).toBe(true)
  })

  it('stay on a later night when still later events change', async () => {
    const usual = { ...USUAL_RECALL, candidates: 50 }
    const learnedOn = async (deeds: DeedRow[], until: number) => {
      const dataset = datasetOf(60, 25, deeds)
      return (await servedOnNights(dataset, [PARTING, until], config, usual, () => Promise.resolve())).later?.map(
        ({ view: { core, list } }) => ({
          core,
          list: list('*', -1),
        }),
      )
    }
    expect(await learnedOn(shifted, LATER)).toEqual(await learnedOn(rows, LATER))
    // That night knows what came since, and the shift is one that a night after it does see.
    expect(await learnedOn(rows, LATER)).not.toEqual(await learnedOn(rows, PARTING))
    expect(await learnedOn(shifted, LATER + 200_000)).not.toEqual(await learnedOn(rows, LATER + 200_000))
  })
})

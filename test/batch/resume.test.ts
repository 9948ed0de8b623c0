import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { silentProgress } from '../../batch/cli/progress.ts'
import { readConfig } from '../../batch/config.ts'
import { type Computed, compute } from '../../batch/night/compute.ts'
import { openJournal } from '../../batch/night/journal-file.ts'
import { Stages } from '../../batch/night/stages.ts'
import type { Judgement } from '../../batch/ranker/journal.ts'
import { tastes } from './support/tastes.ts'

const config = { ...readConfig(undefined), trials: 4, epochs: 1, decisions: 300, candidates: 40 }
const dataset = tastes({ visitors: 240, items: 40, seed: 7 })

const folder = mkdtempSync(join(tmpdir(), 'nightjar-resume-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Computes a release and is killed, if it is, when the ranker's stage has said so many times how far it is. */
function run(directory: string, killedAfter = Number.POSITIVE_INFINITY): Promise<Computed> {
  let said = 0
  const advance = (): void => {
    if (++said === killedAfter) throw new Error('killed')
  }
  const stages = new Stages({ ...silentProgress, advance }, join(folder, directory))
  return compute(dataset, config, { stages, key: 'key', start: null, idKey: null })
}

const journal = (directory: string): string => join(folder, directory, 'key/ranker.ndjson')
const lines = (directory: string): string[] => readFileSync(journal(directory), 'utf8').trimEnd().split('\n')

it('a night that is killed judges only what it had not judged, with the same result', async () => {
  const whole = await run('whole')
  const all = lines('whole')
  expect(new Set(all).size).toBe(all.length)
  const families = (all.map((line) => JSON.parse(line)) as Judgement[]).map(({ family }) => family)
  expect([...new Set(families)]).toEqual(['similar', 'together', 'vectors', 'mix', 'lists', 'recall'])
  for (const killedAfter of [2, 5]) {
    const directory = `killed-${killedAfter}`
    await expect(run(directory, killedAfter)).rejects.toThrow('killed')
    expect(lines(directory)).toEqual(all.slice(0, killedAfter))
    expect(await run(directory)).toEqual(whole)
    // Every line is there once: the second run judged the others only.
    expect(lines(directory)).toEqual(all)
  }
})

it('a night that was killed while it wrote, or while it compared recall, resumes as well', async () => {
  const whole = await run('uncut')
  const all = lines('uncut')
  const checkpoints = join(folder, 'uncut/key')
  for (const name of readdirSync(checkpoints)) if (name.endsWith('.bin')) rmSync(join(checkpoints, name))
  truncateSync(journal('uncut'), readFileSync(journal('uncut')).byteLength - 7)
  expect(lines('uncut')).not.toEqual(all)
  expect(await run('uncut')).toEqual(whole)
  expect(lines('uncut')).toEqual(all)
})

it('a journal keeps what is whole of a damaged file', async () => {
  const file = join(folder, 'deep/down/stage.ndjson')
  await openJournal(file).once('similar', { ridgeBase: 3, hop: 0 }, () => 0.1 + 0.2)
  appendFileSync(file, '\0\0\0\n{"family":"similar","setting":{"ridgeBase":4},"quality":1}\n')
  const opened = openJournal(file)
  expect(await opened.once('similar', { hop: 0, ridgeBase: 3 }, () => Promise.reject(new Error('judged again')))).toBe(0.1 + 0.2)
  expect(await opened.once('similar', { ridgeBase: 4 }, () => 2)).toBe(2)
  expect(await opened.once('together', { ridgeBase: 4 }, () => 3)).toBe(3)
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(4)
})

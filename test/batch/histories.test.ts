import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slope } from '../../batch/cli/bench-batch.ts'
import type { Dataset } from '../../batch/dataset.ts'
import { ingest } from '../../batch/ingest.ts'
import { madeHistories } from '../../batch/simulate/histories.ts'
import { files } from '../../batch/sources/files.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nightjar-histories-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SIZE = { events: 20_000, visitors: 800, items: 1000 }
const read = async (name: string): Promise<Dataset> => {
  const made = await madeHistories(join(folder, name), SIZE)
  return ingest([files(made)], { threads: 2, workDirectory: folder })
}

describe('made-up histories', () => {
  it('are as many as asked for, the same every time, and made once', async () => {
    const [one, other] = [await read('one'), await read('other')]
    expect(one.fingerprint).toBe(other.fingerprint)
    expect(one.deeds.count).toBe(SIZE.events)
    expect(one.visitors).toHaveLength(SIZE.visitors)
    expect(one.items).toHaveLength(SIZE.items)
    expect(one.dropped).toEqual({})
    const made = readdirSync(join(folder, 'one'))
    await read('one')
    expect(readdirSync(join(folder, 'one'))).toEqual(made)
  })

  it('follow Zipf’s law: the first tenth of items has more than half of all deeds, and the last tenth some', async () => {
    const { deeds, items } = await read('one')
    const taken = new Uint32Array(items.length)
    for (const item of deeds.item) taken[item]++
    taken.sort().reverse()
    const share = (from: number, to: number): number => taken.subarray(from, to).reduce((sum, count) => sum + count, 0) / deeds.count
    expect(share(0, 100)).toBeGreaterThan(0.5)
    expect(share(900, 1000)).toBeGreaterThan(0)
  })

  it('come in visits: most deeds follow another of the same visit', async () => {
    const { deeds } = await read('one')
    expect(deeds.session[deeds.count - 1]).toBeLessThan(0.5 * deeds.count)
  })
})

describe('growth', () => {
  it('is the power of the size that a stage takes', () => {
    const points = [1, 5, 25].map((size): [number, number] => [Math.log(size), Math.log(3 * size ** 1.2)])
    expect(slope(points)).toBeCloseTo(1.2, 10)
  })

  it('is refused for sizes that do not ascend, in one line', async () => {
    const launcher = join(import.meta.dirname, '../../batch/bin/nightjar.mjs')
    for (const sizes of ['5M,1M', '10', 'many']) {
      const { stderr, exitCode } = await execa(process.execPath, [launcher, 'bench', 'batch', '--events', sizes], { reject: false })
      expect(exitCode).toBe(2)
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
  })
})

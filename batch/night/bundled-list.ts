import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Dataset } from '../dataset.ts'
import type { Learned } from '../learn/learn.ts'

const LENGTH = 40

/** The global list with what pages need to draw it: deployed with the Worker, for the day when KV answers nothing. */
export function writeBundledList(file: string, dataset: Dataset, learned: Learned): void {
  const everywhere = learned.lists.find((list) => list.region === '*' && list.cohort === -1)
  const items = (everywhere?.items ?? [])
    .slice(0, LENGTH)
    .map((item) => ({ id: dataset.items[item].id, values: dataset.items[item].values }))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify({ items }))
}

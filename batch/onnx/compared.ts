import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A slim runtime and its snapshot, named by their bytes, that gave the stock runtime's scores so many times over. */
export type Compared = { artefacts: string; runs: number }

/** So many runs without a difference are asked for before memory is left out of a snapshot. */
export const NEEDED_RUNS = 10_000_000

/** Written by `npx nightjar bench onnx --record`, and to be committed with what it speaks of. */
const RECORD = join(import.meta.dirname, 'compared.json')

export const lastComparison = (): Compared => JSON.parse(readFileSync(RECORD, 'utf8'))

/** Whether that pair may be deployed without the memory that its runs do not need. */
export function isCompared(artefacts: string): boolean {
  const record = lastComparison()
  return record.artefacts === artefacts && record.runs >= NEEDED_RUNS
}

export function recordComparison(record: Compared): void {
  writeFileSync(RECORD, `${JSON.stringify(record)}\n`)
}

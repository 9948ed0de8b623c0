import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { deserialize, serialize } from 'node:v8'
import type { Journal } from '../ranker/journal.ts'
import { openJournal } from './journal-file.ts'

/**
 * `cpuSeconds` is what all threads of the process computed meanwhile: unlike `seconds`, it hardly hangs on what else the
 * machine does. `peakMb` is what the process had needed at most by the end of the stage.
 */
export type StageResult = { name: string; seconds: number; cpuSeconds: number; rows: number; peakMb: number; resumed?: true }

/** maxRSS is in kibibytes on every platform Node runs on. */
export const peakMb = (): number => process.resourceUsage().maxRSS / 1024

export const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Starts two clocks. @returns (when called) what they show */
function clocks(): () => Pick<StageResult, 'seconds' | 'cpuSeconds'> {
  const start = performance.now()
  const cpu = cpuSeconds()
  return () => ({ seconds: (performance.now() - start) / 1000, cpuSeconds: cpuSeconds() - cpu })
}

/**
 * Says how far a stage is: `done` of `total` rows, or rows so far where the total is not known. It gives the terminal a
 * moment to draw, because a stage that computes never does.
 */
export type Advance = (done: number, total?: number) => Promise<void>

/** How a stage tells the person at the terminal what it is doing. */
export type Progress = {
  begin(stage: string): void
  advance(done: number, total?: number): void
  end(result: Omit<StageResult, 'cpuSeconds'>): void
  note(line: string): void
}

/**
 * Runs the stages of a night, times them, and keeps the result of the long ones on disk under a key made of everything
 * they depend on, so that a night that was killed resumes and one with other input starts clean.
 */
export class Stages {
  readonly results: StageResult[] = []
  private readonly progress: Progress
  private readonly directory: string

  constructor(progress: Progress, directory: string) {
    this.progress = progress
    this.directory = directory
  }

  async run<T>(name: string, rows: (value: T) => number, work: (advance: Advance) => Promise<T> | T): Promise<T> {
    this.progress.begin(name)
    const elapsed = clocks()
    const value = await work(async (done, total) => {
      this.progress.advance(done, total)
      await setImmediate()
    })
    this.finish({ name, ...elapsed(), rows: rows(value), peakMb: peakMb() })
    return value
  }

  /**
   * As `run`, but a result left by an earlier night with the same `key` is taken over, and so are the judgements of one
   * that did not get as far as a result. T must be structured-cloneable.
   */
  async resumable<T>(
    name: string,
    key: string,
    rows: (value: T) => number,
    work: (advance: Advance, journal: Journal) => Promise<T> | T,
  ): Promise<T> {
    const file = join(this.directory, key, `${name}.bin`)
    const elapsed = clocks()
    const earlier = readCheckpoint<T>(file)
    if (earlier !== undefined) {
      this.progress.begin(name)
      this.finish({ name, ...elapsed(), rows: rows(earlier.value), peakMb: peakMb(), resumed: true })
      return earlier.value
    }
    const journal = openJournal(join(this.directory, key, `${name}.ndjson`))
    const value = await this.run(name, rows, (advance) => work(advance, journal))
    writeCheckpoint(file, value)
    return value
  }

  /** Once published, checkpoints are of no more use. */
  forget(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  private finish(result: StageResult): void {
    this.results.push(result)
    this.progress.end(result)
  }
}

function readCheckpoint<T>(file: string): { value: T } | undefined {
  try {
    const checkpoint: { complete: boolean; value: T } = deserialize(readFileSync(file))
    return checkpoint.complete ? { value: checkpoint.value } : undefined
  } catch {
    return undefined
  }
}

/** Renaming is atomic: a checkpoint is whole or absent. */
function writeCheckpoint(file: string, value: unknown): void {
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(`${file}.${process.pid}`, serialize({ value, complete: true }))
  renameSync(`${file}.${process.pid}`, file)
}

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { randomStream } from '../../../shared/random.ts'
import { type Fault, type Row, rowOf } from '../fault.ts'
import { type NightStage, openNightStage, settledByNight } from '../night-stage.ts'
import { type NightEnd, startNight, writeCatalogue } from '../nights.ts'
import type { Theatre } from '../stage.ts'

const TAG = 'night'
const DAY_MS = 86_400_000

export const nightFaults: readonly Fault[] = [
  {
    name: 'disk-full',
    slow: true,
    async play(theatre, { seed, told }) {
      told(await fillDisk(theatre, seed, 8))
      told(await fillDisk(theatre, seed, 1, ['a copy of the archive is whole or not there']))
    },
  },
  {
    name: 'two-nights-at-once',
    slow: true,
    async play(theatre, { seed, told }) {
      told(await startTogether(theatre, seed, 4))
      told(await startTogether(theatre, seed, 1, ['one night at a time']))
    },
  },
  {
    name: 'night-48-hours-late',
    slow: true,
    async play(theatre, { seed, told }) {
      told(await comeLate(theatre, seed))
      told(await comeLate(theatre, seed, ['a night takes all that is archived']))
    },
  },
]

const note = (row: Row, what: string, count = 1): void => {
  row.wrong[what] = (row.wrong[what] ?? 0) + count
}

async function loaded(stage: NightStage, row: Row, requests: number): Promise<void> {
  const { errors } = await stage.client.load({ requests, connections: 6, tag: TAG, meant: true })
  for (const [what, count] of errors) note(row, what, count)
}

/** Got through all the same, or ended as what cannot go on does: with one line that says why, and not as if all were well. */
function judgeEnd(row: Row, { code, complaint }: NightEnd, got: boolean): void {
  const lines = complaint.trim().split('\n')
  if (code === 0 ? got : code !== null && complaint.trim() !== '' && lines.length <= 2) row.survived++
  else note(row, `a night ended with ${code} and ${complaint.trim() === '' ? 0 : lines.length} lines`)
}

const DISK_MB = 48
const LEFT_BYTES = 12 * 1024
/** When the disk fills up: before the night begins, when it has begun, and while it is at these stages. */
const MOMENTS = ['before', 'begun', 'ingest', 'ranker', 'learn', 'packs', 'begun', 'begun']

/** The disk that the night writes to fills up at some moment; when there is room again, the next night gets through. */
async function fillDisk(theatre: Theatre, seed: number, nights: number, without: readonly string[] = []): Promise<Row> {
  const row = rowOf('disk-full', nights, without)
  const stage = await openNightStage(theatre, { seed })
  const disk = join(stage.directory, 'small-disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk])
  try {
    stage.beUp(disk)
    for (let i = 0; i < nights; i++) {
      await loaded(stage, row, 150)
      const before = await stage.served()
      const moment = nights === 1 ? 'begun' : MOMENTS[i % MOMENTS.length]
      if (moment === 'before') fill(disk)
      writeCatalogue(stage.directory, ++stage.edition)
      const night = startNight({ directory: disk, input: stage.directory, without })
      if (moment === 'begun') while (!existsSync(join(disk, 'night.lock'))) await setTimeout(1)
      else if (moment !== 'before') await night.reaches(moment)
      if (moment !== 'before') fill(disk)
      const end = await night.ended
      await setTimeout(1500)
      const after = await (end.code === 0 ? stage.servedAfterNight() : stage.served())
      judgeEnd(row, end, after === stage.edition)
      if (after !== before && after !== stage.edition) note(row, `edition ${after} was served where ${before} was live`)
      rmSync(join(disk, 'filler'))
    }
    await stage.night(disk)
    const settled = await settledByNight(row, stage, TAG, disk)
    return settled
  } finally {
    execFileSync('umount', [disk])
    await stage.close()
  }
}

/** Leaves a few kilobytes. */
function fill(disk: string): void {
  const file = join(disk, 'filler')
  const size = DISK_MB * 1024 * 1024
  let written = 0
  for (let step = 1 << 20; step >= 4096; step >>= 1) {
    try {
      for (; written < size; written += step) writeFileSync(file, Buffer.alloc(step), { flag: 'a' })
    } catch {
      truncateSync(file, written)
    }
  }
  truncateSync(file, Math.max(0, written - LEFT_BYTES))
}

const TOGETHER = 3

/** Several nights in the same moment, after one that was killed: one runs, the others say so and end. */
async function startTogether(theatre: Theatre, seed: number, rounds: number, without: readonly string[] = []): Promise<Row> {
  const row = rowOf('two-nights-at-once', rounds * TOGETHER, without)
  const stage = await openNightStage(theatre, { seed })
  const random = randomStream(seed)
  const { directory } = stage
  try {
    for (let round = 0; round < rounds; round++) {
      await loaded(stage, row, 60)
      const killed = startNight({ directory, without })
      while (!existsSync(join(directory, 'night.lock'))) await setTimeout(1)
      await setTimeout(200 * random())
      killed.kill()
      await killed.ended
      writeCatalogue(directory, ++stage.edition)
      const ends = await Promise.all(Array.from({ length: TOGETHER }, () => startNight({ directory, without }).ended))
      const [ran, others] = [ends.filter(({ code }) => code === 0).length, ends.filter(({ code }) => code === 2)]
      if (ran !== 1) note(row, `${ran} nights ran`)
      row.survived += ran === 1 ? 1 : 0
      for (const { complaint } of others)
        if (/^nightjar: another night .*is running/.test(complaint) && complaint.trim().split('\n').length === 1) row.survived++
        else note(row, `said: ${complaint}`)
      for (const { code, complaint } of ends) if (code !== 0 && code !== 2) note(row, `ended with ${code}: ${complaint}`)
    }
    await stage.night()
  } finally {
    await stage.close()
  }
  return settledByNight(row, stage, TAG, directory)
}

/** No night for two days: the edge goes on and says that its release is old; then one comes and has missed nothing. */
async function comeLate(theatre: Theatre, seed: number, without: readonly string[] = []): Promise<Row> {
  const row = rowOf('night-48-hours-late', 1, without)
  const late = 2 * DAY_MS
  const stage = await openNightStage(theatre, { seed, breakage: { clockOff: -late } }, Date.now() - late)
  try {
    for (let day = 0; day < 3; day++) {
      if (day > 0) await stage.edge().breakAs({ later: DAY_MS })
      await loaded(stage, row, 150)
    }
    const { status } = (await (await fetch(`${stage.edge().url}/readyz`)).json()) as { status: string }
    if (status !== 'stale') note(row, `/readyz says ${status} of a release two days old`)
    await stage.night(stage.directory, without)
    row.survived++
  } finally {
    await stage.close()
  }
  return settledByNight(row, stage, TAG, stage.directory)
}

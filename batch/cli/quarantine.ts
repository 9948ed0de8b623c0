import { Command } from 'commander'
import { recordFor } from '../night/audit.ts'
import { type Replay, readQuarantine, replayFile } from '../night/quarantine.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'
import { wholeNumber } from './whole-number.ts'

type QuarantineOptions = TargetOptions & { limit: number; json?: true }

/** What fits no contract waits here with its reason, until it is mended, replayed or has had its time. */
export const quarantineCommand = (): Command =>
  new Command('quarantine')
    .description('events that fit no contract: list them, look at them, replay them once the code knows them')
    .addCommand(
      withTarget(
        new Command('list').description('the files of the quarantine, with the reasons in them').option('--json', 'print JSON'),
      ).action(list),
    )
    .addCommand(
      withTarget(
        new Command('show')
          .description('what is in one file: where each event stood, what is wrong with it, what was sent')
          .argument('<file>', 'as "list" names it')
          .option('--limit <n>', 'how many rows', wholeNumber(1, 100_000), 20)
          .option('--json', 'print JSON'),
      ).action(show),
    )
    .addCommand(
      withTarget(
        new Command('replay')
          .description('give back to the archive what the contract takes by now; the next night learns from it')
          .argument('[file]', 'one file; all of them where none is named')
          .option('--json', 'print JSON'),
      ).action(replay),
    )

async function list(options: QuarantineOptions): Promise<void> {
  const stores = await openTarget(options)
  try {
    const rows = []
    for await (const { name, records } of readQuarantine(stores)) {
      const reasons = new Map<string, number>()
      for (const { detail } of records) reasons.set(general(detail), (reasons.get(general(detail)) ?? 0) + 1)
      const told = [...reasons].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      rows.push({ file: name, events: records.length, reasons: Object.fromEntries(told) })
    }
    if (options.json) print(rows)
    else if (rows.length === 0) process.stdout.write('Nothing is in quarantine.\n')
    else
      for (const { file, events, reasons } of rows)
        process.stdout.write(
          `${file}: ${events} events\n${Object.entries(reasons)
            .map(([reason, count]) => `  ${count} × ${reason}\n`)
            .join('')}`,
        )
  } finally {
    await stores.close()
  }
}

/** Without the place in the POST or the file: reasons of the same kind are one. */
const general = (detail: string): string => detail.replace(/^events\[\d+\]\.?/, '').replace(/\[\d+\]/g, '[]')

async function show(name: string, options: QuarantineOptions): Promise<void> {
  const stores = await openTarget(options)
  try {
    for await (const { records } of readQuarantine(stores, name)) {
      const shown = records.slice(0, options.limit)
      if (options.json) print(shown)
      else
        for (const { received, offset, detail, event } of shown)
          process.stdout.write(
            `${received > 0 ? new Date(received).toISOString() : 'time unknown'}  ${offset}  ${detail}\n  ${event ?? '(not kept)'}\n`,
          )
    }
  } finally {
    await stores.close()
  }
}

async function replay(name: string | undefined, options: QuarantineOptions): Promise<void> {
  const stores = await openTarget(options)
  try {
    const rows: Replay[] = []
    for await (const file of readQuarantine(stores, name)) rows.push(await replayFile(stores.blobs, file))
    const sum = (of: (row: Replay) => number): number => rows.reduce((total, row) => total + of(row), 0)
    const detail = { replayed: sum((row) => row.replayed), left: sum((row) => row.left) }
    if (detail.replayed > 0) await recordFor('operator', stores.blobs, { action: 'admin', actor: 'operator', detail }, Date.now())
    if (options.json) print(rows)
    else process.stdout.write(`${detail.replayed} events went back to the archive, ${detail.left} still do not fit.\n`)
  } finally {
    await stores.close()
  }
}

const print = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`)

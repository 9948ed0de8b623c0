import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { InputError } from '../sources/source.ts'
import { adminTokenCommand } from './admin-token.ts'
import { auditCommand } from './audit.ts'
import { benchCommand } from './bench.ts'
import { costCommand } from './cost.ts'
import { exportCommand } from './export.ts'
import { forgetCommand } from './forget.ts'
import { nightlyCommand } from './nightly.ts'
import { quarantineCommand } from './quarantine.ts'
import { releasesCommand } from './releases.ts'
import { rollbackCommand } from './rollback.ts'
import { showCommand } from './show.ts'
import { simulateCommand } from './simulate.ts'

const { version }: { version: string } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))

const program = new Command('nightjar')
  .description('Recommendations computed at night, served at the edge.')
  .version(version)
  .addHelpText(
    'after',
    `
A first night, on the shop that comes with Nightjar:
  $ npx nightjar nightly --source shop
  $ npx nightjar show
Your own data (docs/data.md):
  $ npx nightjar nightly --source csv --events orders.csv --items products.csv

Exit codes: 0 done, 1 something failed, 2 bad input or bad use, 3 a gate refused the release.`,
  )

for (const command of [
  nightlyCommand,
  releasesCommand,
  showCommand,
  rollbackCommand,
  quarantineCommand,
  forgetCommand,
  auditCommand,
  adminTokenCommand,
  exportCommand,
  simulateCommand,
  costCommand,
  benchCommand,
])
  program.addCommand(command())
throwOnBadUse(program)

try {
  await program.parseAsync()
} catch (error) {
  // A runtime that failed to start may leave something behind that would keep the process waiting.
  process.exit(exitCodeOf(error))
}

/** A command that was added does not inherit this, and would end the process with 1 by itself. */
function throwOnBadUse(command: Command): void {
  command.exitOverride()
  for (const inner of command.commands) throwOnBadUse(inner)
}

function exitCodeOf(error: unknown): number {
  // Commander has printed its own line, and --help and --version are no failures.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  process.stderr.write(`nightjar: ${lineOf(error)}\n`)
  if (process.env.NIGHTJAR_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return error instanceof InputError ? 2 : 1
}

function lineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (/ENOSPC|SQLITE_FULL/.test(message)) return 'the disk is full; make room and run this again (what is live stays live)'
  return message.split('\n')[0]
}

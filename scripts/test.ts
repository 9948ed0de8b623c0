import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Row } from '../test/chaos/fault.ts'
import { isRight } from '../test/chaos/table.ts'

const ROOT = join(import.meta.dirname, '..')

type Count = { passed: number; failed: number; skipped: number }

/** What vitest's JSON report says, as far as it is counted here. */
type Report = { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number; testResults: TestFile[] }
type TestFile = { status: string; assertionResults: unknown[] }

const total: Count = { passed: 0, failed: 0, skipped: 0 }
const reports = mkdtempSync(join(tmpdir(), 'nightjar-test-'))
try {
  for (const script of ['lint', 'types']) add(script, await check(script))
  for (const project of ['unit', 'edge', 'e2e']) add(project, await suite(project))
  add('faults', await faults())
} finally {
  rmSync(reports, { recursive: true, force: true })
}
if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 ? 0 : 1

function add(step: string, { passed, failed, skipped }: Count): void {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  process.stdout.write(`${failed === 0 ? 'ok' : 'FAILED'}  ${step}\n\n`)
}

/** Runs a command of this project; what it prints is shown as it comes. @returns whether it ended well */
async function succeeds(command: string, ...parameters: string[]): Promise<boolean> {
  process.stdout.write(`> ${command} ${parameters.join(' ')}\n`)
  const result = await execa(command, parameters, { cwd: ROOT, preferLocal: true, localDir: ROOT, stdio: 'inherit', reject: false })
  return !result.failed
}

/** A script without tests of its own counts as one. */
async function check(script: string): Promise<Count> {
  const ok = await succeeds('npm', 'run', '--silent', script)
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
}

async function suite(project: string): Promise<Count> {
  const file = join(reports, `${project}.json`)
  const ok = await succeeds('vitest', 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`)
  const count = countOf(file)
  // An error outside any test fails the run though no test failed.
  return ok || count.failed > 0 ? count : { ...count, failed: 1 }
}

/** The quick part of `npm run test:chaos`: every fault, and every proof that it would be noticed, is a test. */
async function faults(): Promise<Count> {
  const file = join(reports, 'faults.json')
  const ok = await succeeds('node', 'test/chaos/run.ts', '--quick', '--json', file)
  const rows: Row[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  const passed = rows.filter(isRight).length
  return { passed, failed: Math.max(rows.length - passed, ok ? 0 : 1), skipped: 0 }
}

function countOf(file: string): Count {
  try {
    const report: Report = JSON.parse(readFileSync(file, 'utf8'))
    const broken = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + broken.length,
      skipped: report.numPendingTests + report.numTodoTests,
    }
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}

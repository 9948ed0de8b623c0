import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { NightReport } from '../night/night.ts'

/**
 * A night in its own process: its peak memory is its own, and is given back when it ends.
 * @param files of the csv source @throws when it fails
 */
export async function runNight(source: string, directory: string, files: readonly string[] = []): Promise<NightReport> {
  const launcher = join(import.meta.dirname, '../bin/nightjar.mjs')
  const options = ['nightly', '--source', source, ...files, '--directory', directory, '--no-edge-events', '--json']
  const child = spawn(process.execPath, [launcher, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, code] = await Promise.all([text(child.stdout), new Promise<number | null>((resolve) => child.once('exit', resolve))])
  if (code !== 0) throw new Error(`the night ended with exit code ${code}`)
  return JSON.parse(output) as NightReport
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { execa } from 'execa'

const ROOT = join(import.meta.dirname, '..')

export const WRANGLER = join(ROOT, 'node_modules/wrangler/bin/wrangler.js')

/** So that wrangler asks the network neither for a newer wrangler nor, for local development, where it is. */
export const WRANGLER_ENV = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', CLOUDFLARE_CF_FETCH_ENABLED: 'false' }

/** Of the lines that a failed wrangler printed, the one that says what went wrong. */
export const reasonIn = (lines: readonly string[]): string =>
  (lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1) ?? 'it printed nothing').replace(/^\W*\[?error\]?:?\s*/i, '').trim()

/** A wrangler command that failed; the message is one line. */
export class WranglerError extends Error {
  override name = 'WranglerError'
}

/**
 * Runs wrangler without ever asking a question. @returns what it printed to standard output
 * @throws WranglerError with one line that names the command and wrangler's reason
 */
export async function wrangler(parameters: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const env = { ...WRANGLER_ENV, CI: 'true', ...environment }
  const result = await execa(process.execPath, [WRANGLER, ...parameters], { cwd: ROOT, env, stdin: 'ignore', reject: false, all: true })
  if (!result.failed) return result.stdout
  const lines = stripVTControlCharacters(result.all)
    .split('\n')
    .filter((line) => line.trim() !== '')
  const command = parameters.filter((parameter) => !parameter.startsWith('-')).slice(0, 4)
  throw new WranglerError(`wrangler ${command.join(' ')} failed: ${reasonIn(lines)}`)
}

/** As `wrangler`, for commands that also write down what they did. @returns those records, of which each has a `type` */
export async function wranglerRecords(
  parameters: readonly string[],
  environment: Record<string, string> = {},
): Promise<Record<string, unknown>[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nightjar-wrangler-'))
  try {
    const file = join(folder, 'records.ndjson')
    await wrangler(parameters, { ...environment, WRANGLER_OUTPUT_FILE_PATH: file })
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

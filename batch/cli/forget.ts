import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { isGenuine } from '../../shared/receipt.ts'
import type { ForgetAnswer } from '../../shared/schemas/visitors.ts'
import { InputError } from '../sources/source.ts'
import { edgeUrl } from './edge-url.ts'
import { readAdminKey, readSecret } from './secrets.ts'
import { DEFAULT_DIRECTORY } from './target.ts'

type ForgetOptions = { list?: string; verify?: string; receipts?: string; url?: string; directory: string; json?: true }

/** As many as the edge takes in one call. */
const AT_ONCE = 10

export const forgetCommand = (): Command =>
  new Command('forget')
    .description('have visitors erased at the edge; the next night takes them out of the archive and out of training')
    .option('--list <file>', 'one visitor a line: a minted id (v1.…) or user:<own id>; lines that begin with # are left out')
    .option('--receipts <file>', 'where the signed receipts go, one a line (the list’s name with .receipts.ndjson where none is given)')
    .option('--verify <file>', 'instead: check that receipts are this deployment’s and unchanged (needs ID_KEY)')
    .option('--url <url>', 'the edge; the local one that is running where none is given')
    .option('--directory <folder>', 'where the local edge keeps its state', DEFAULT_DIRECTORY)
    .option('--json', 'print the outcome as JSON')
    .addHelpText(
      'after',
      `
Needs ADMIN_KEY, or a token of "nightjar admin-token --scope visitors" in its place, in .dev.vars or in the environment.
Running it again does no harm.

Examples:
  $ npx nightjar forget --list customers-who-left.txt
  $ npx nightjar forget --verify customers-who-left.txt.receipts.ndjson`,
    )
    .action(async (options: ForgetOptions) => {
      if (options.verify !== undefined) return verifyReceipts(options.verify)
      if (options.list === undefined) throw new InputError('say whom: --list FILE, one visitor a line')
      await forget(options.list, options)
    })

async function forget(list: string, options: ForgetOptions): Promise<void> {
  const visitors = linesOf(list)
  const key = readAdminKey()
  if (key === null) throw new InputError('forgetting others needs ADMIN_KEY: in .dev.vars or in the environment')
  const url = edgeUrl(options)
  const receipts = resolve(options.receipts ?? `${list}.receipts.ndjson`)
  const refused: number[] = []
  let erased = 0
  for (let i = 0; i < visitors.length; i += AT_ONCE) {
    const batch = visitors.slice(i, i + AT_ONCE)
    const { results } = await askEdge(
      url,
      key,
      batch.map(({ visitor }) => visitor),
    )
    // Written at once: whatever stops this, what was done has its receipt.
    const lines = results.flatMap((result) => (result.status === 'erased' ? [`${JSON.stringify(result.receipt)}\n`] : []))
    writeFileSync(receipts, lines.join(''), { flag: 'a', mode: 0o600 })
    erased += lines.length
    results.forEach(({ status }, k) => {
      if (status !== 'erased') refused.push(batch[k].line)
    })
  }
  if (refused.length > 0) process.exitCode = 1
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ erased, refused, receipts })}\n`
      : `${erased} ${erased === 1 ? 'visitor' : 'visitors'} erased at the edge; receipts in ${receipts}. The next night removes their events.\n`,
  )
  if (refused.length > 0 && !options.json)
    process.stderr.write(`nightjar: ${list}: no id of this deployment in line ${refused.join(', ')}; give v1.… or user:<own id>\n`)
}

function linesOf(file: string): { visitor: string; line: number }[] {
  if (!existsSync(file)) throw new InputError(`${file}: no such file`)
  const lines = readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .map((text, i) => ({ visitor: text.trim(), line: i + 1 }))
    .filter(({ visitor }) => visitor !== '' && !visitor.startsWith('#'))
  if (lines.length === 0) throw new InputError(`${file}: names nobody; write one visitor a line, v1.… or user:<own id>`)
  return lines
}

async function askEdge(url: string, key: string, visitors: string[]): Promise<ForgetAnswer> {
  const answer = await fetch(`${url}/v1/admin/forget`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ visitors }),
  }).catch((error: unknown) => {
    throw new Error(`${url} cannot be reached (${error instanceof Error ? error.message : String(error)}); run this again`)
  })
  if (answer.ok) return (await answer.json()) as ForgetAnswer
  const { detail }: { detail?: string } = await answer.json().then(
    (problem) => problem as { detail?: string },
    () => ({}),
  )
  throw new Error(`${url} answered ${answer.status}${detail === undefined ? '' : `: ${detail}`}; run this again, it does no harm`)
}

async function verifyReceipts(file: string): Promise<void> {
  const idKey = readSecret('ID_KEY')
  if (idKey === null) throw new InputError('checking receipts needs ID_KEY: in .dev.vars or in the environment')
  if (!existsSync(file)) throw new InputError(`${file}: no such file`)
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const wrong: number[] = []
  for (const [i, line] of lines.entries()) if (!(await isGenuine(idKey, parse(line)))) wrong.push(i + 1)
  if (wrong.length > 0) throw new Error(`${file}: not a receipt of this deployment, or changed: line ${wrong.join(', ')}`)
  process.stdout.write(`${lines.length} receipts, all of this deployment and unchanged.\n`)
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

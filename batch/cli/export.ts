import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { Command } from 'commander'
import { visitorHash } from '../../shared/pseudonym.ts'
import { recordFor } from '../night/audit.ts'
import { readRelease } from '../release/read-release.ts'
import { memberLists } from '../release/recommend-members.ts'
import { readChannel } from '../release/release-store.ts'
import { InputError } from '../sources/source.ts'
import { readSecret } from './secrets.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'
import { wholeNumber } from './whole-number.ts'

type ExportOptions = TargetOptions & { visitors: string; limit: number; out?: string }

export const exportCommand = (): Command =>
  withTarget(
    new Command('export')
      .description('lists for given visitors, such as for personalised mail: one line of JSON each')
      .requiredOption('--visitors <file>', 'your own visitor ids, one a line; a country may follow after a comma: "4711,DE"')
      .option('--limit <n>', 'how many items each', wholeNumber(1, 100), 10)
      .option('--out <file>', 'where to; standard output without it'),
  )
    .addHelpText(
      'after',
      `
A list is personal where the live release was made with --members and has the visitor's history; it then leaves out what
they bought. Everyone else gets the list of their country. Mail only those who consented.

Example:
  $ npx nightjar nightly --source csv --events orders.csv --items products.csv --members
  $ npx nightjar export --visitors newsletter.txt --out lists.ndjson`,
    )
    .action(runExport)

async function runExport({ visitors: file, limit, out, ...options }: ExportOptions): Promise<void> {
  const visitors = readVisitors(file)
  const idKey = readSecret('ID_KEY')
  if (idKey === null) throw new InputError('export needs ID_KEY, the deployment’s own: in .dev.vars or in the environment')
  const stores = await openTarget(options)
  try {
    const entry = (await readChannel(stores.kv))?.stable
    if (entry === undefined) throw new InputError('nothing has been published yet')
    const release = await readRelease(stores.kv, entry)
    const listOf = await memberLists(stores.kv, release, Date.now())
    await recordFor('operator', stores.blobs, { action: 'export', actor: 'operator', detail: { visitors: visitors.length } }, Date.now())
    const stream = out === undefined ? process.stdout : createWriteStream(out)
    let personal = 0
    for (const { visitor, country } of visitors) {
      const { source, region, items } = await listOf(await visitorHash(idKey, visitor), country, limit)
      if (source === 'personal') personal++
      const shown = items.map(({ item, score }) => ({ ...release.item(item), score }))
      if (!stream.write(`${JSON.stringify({ visitor, release: entry.release, source, region, items: shown })}\n`))
        await once(stream, 'drain')
    }
    if (stream !== process.stdout) {
      stream.end()
      await once(stream, 'finish')
      process.stdout.write(`${visitors.length} lists in ${out}, ${personal} of them personal.\n`)
    }
  } finally {
    await stores.close()
  }
}

/** Lines `id` or `id,country`; what is in quotes, or after a second comma, is refused rather than guessed at. */
function readVisitors(file: string): { visitor: string; country: string }[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new InputError(`${file}: cannot be read; give the path of a file with one visitor id a line`)
  }
  const visitors = text.split(/\r?\n/).flatMap((line, i) => {
    if (line.trim() === '') return []
    const [visitor = '', country = '', ...rest] = line.split(',').map((part) => part.trim())
    if (visitor === '' || rest.length > 0 || !/^([A-Z]{2})?$/.test(country))
      throw new InputError(`${file}: line ${i + 1} must be a visitor id, or an id and a country such as "4711,DE"`)
    return [{ visitor, country }]
  })
  if (visitors.length === 0) throw new InputError(`${file}: no visitors in it`)
  return visitors
}

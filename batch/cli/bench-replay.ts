import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { REMEMBERED_ITEMS, TOKEN_ITEMS } from '../../shared/memory.ts'
import { readConfig } from '../config.ts'
import { judgeReplay, type ReplayVerdict } from '../evaluate/replay/judge-replay.ts'
import { openReplay, type ReplayName, replayNames } from '../evaluate/replay/open-replay.ts'
import type { MemoryKind } from '../evaluate/replay/visitor-client.ts'
import { DATA, wholeMachine } from '../evaluate/trials/trials.ts'
import { plainProgress } from './progress.ts'
import { wholeNumber } from './whole-number.ts'

type ReplayCommandOptions = { dataset: ReplayName; data: string; config?: string; limit: number; memory: MemoryKind; json?: string }

export const replayCommand = (): Command =>
  new Command('replay')
    .description('how good what is served is: the built Worker in workerd, every test click posted, hits counted from its answers')
    .addOption(new Option('--dataset <name>', 'a known data set under its published protocol').choices(replayNames).makeOptionMandatory())
    .option('--data <folder>', 'where the data sets lie', DATA)
    .option('--config <file>', 'JSON that overrides defaults (docs/nightly.md)')
    .option('--limit <n>', 'about so many predictions, in whole sessions drawn at random', wholeNumber(1, Number.MAX_SAFE_INTEGER), 2000)
    .addOption(
      new Option(
        '--memory <kind>',
        `what the edge ranks from: the token (${TOKEN_ITEMS} items) or the visitor’s object (${REMEMBERED_ITEMS})`,
      )
        .choices(['token', 'object'])
        .default('token'),
    )
    .option('--json <file>', 'write rows {dataset, task, system, metric, value, low, high}')
    .action(benchReplay)

async function benchReplay(options: ReplayCommandOptions): Promise<void> {
  const progress = plainProgress((text) => process.stderr.write(text))
  const remembered = options.memory === 'token' ? TOKEN_ITEMS : REMEMBERED_ITEMS
  const seed = readConfig(options.config).seed
  const { trial, plan } = await openReplay(
    options.dataset,
    resolve(options.data),
    { remembered, limit: options.limit, seed },
    wholeMachine(),
  )
  const config = readConfig(options.config, trial.fixed)
  const secrets = {
    ID_KEY: 'bench',
    IDENTITY_KEY: randomBytes(16).toString('hex'),
    ADMIN_KEY: randomBytes(16).toString('hex'),
    TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  }
  // Wrangler and the runtime take seconds to load, which other commands should not wait for.
  const { startBuiltEdge } = await import('../../scripts/built-edge.ts')
  const { url, stores, stop } = await startBuiltEdge({ ...secrets, BENCH: 'on', WRITE_KEY: 'bench', ANSWER_WITHIN_MS: '60000' })
  try {
    const edge = { url, stores, writeKey: 'bench', identityKey: secrets.IDENTITY_KEY, idKey: secrets.ID_KEY }
    const verdict = await judgeReplay({ dataset: trial.dataset, train: trial.train, plan, edge, memory: options.memory, config, progress })
    print(verdict)
    if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(verdict.rows))
  } finally {
    await stop()
  }
}

function print({ rows, identical, differences, rungs, release }: ReplayVerdict): void {
  process.stdout.write(`\n${rows[0].dataset} · ${rows[0].task}, served from release ${release}\n`)
  console.table(
    Object.fromEntries(
      rows.map(({ system, metric, value, low, high }) => [
        `${system} ${metric}`,
        { value: Number(value.toFixed(4)), low: Number(low.toFixed(4)), high: Number(high.toFixed(4)) },
      ]),
    ),
  )
  const counted = Object.entries(rungs).map(([rung, count]) => `${rung} ${count}`)
  process.stdout.write(`rungs: ${counted.join(', ')}\nidentical to what is computed offline: ${(100 * identical).toFixed(2)} %\n`)
  for (const { query, place, served, offline } of differences)
    process.stdout.write(`  question ${query} from place ${place}: served ${served.join(' ')} · offline ${offline.join(' ')}\n`)
}

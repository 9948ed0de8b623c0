import { Command, Option } from 'commander'
import { simulate } from '../simulate/simulate.ts'
import { edgeUrl } from './edge-url.ts'
import { DEFAULT_DIRECTORY } from './target.ts'
import { wholeNumber } from './whole-number.ts'

type SimulateOptions = { url?: string; visitors: number; seed: number; directory: string; writeKey: string; json?: true }

export const simulateCommand = (): Command =>
  new Command('simulate')
    .description('let made-up visitors of the demo shop browse a running edge, so that there is something to learn')
    .option('--url <url>', 'the edge; the local one that is running where none is given')
    .option('--visitors <n>', 'how many', wholeNumber(1, 100_000), 50)
    .option('--seed <n>', 'the same seed, the same visitors', wholeNumber(0, 2 ** 31), 1)
    .option('--write-key <key>', 'the site’s public write key', 'pk_demo')
    .addOption(new Option('--directory <folder>', 'where the local edge keeps its state').default(DEFAULT_DIRECTORY, '.nightjar'))
    .option('--json', 'print the outcome as JSON')
    .action(async (options: SimulateOptions) => {
      const outcome = await simulate({ ...options, url: edgeUrl(options) })
      const rate = outcome.shown > 0 ? (100 * outcome.clicks) / outcome.shown : 0
      process.stdout.write(
        options.json
          ? `${JSON.stringify(outcome)}\n`
          : `${outcome.visitors} visitors asked ${outcome.answers} times, clicked ${outcome.clicks} of ${outcome.shown} items shown (${rate.toFixed(2)} %) and bought ${outcome.purchases}.\n`,
      )
    })

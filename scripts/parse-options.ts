import { type ParseArgsConfig, parseArgs } from 'node:util'

/** The options of this script. Bad use ends it with one line and exit code 2. */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message.split('.')[0] : String(error)}; --help lists the options\n`)
    process.exit(2)
  }
}

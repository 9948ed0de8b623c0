import { join } from 'node:path'

const CONFIG = join(import.meta.dirname, '../../wrangler.toml')

/** A variable of the deployment that the night has to know as well: from the environment, else as wrangler.toml has it. */
export async function readVariable(name: string): Promise<string> {
  const fromEnvironment = process.env[name]
  if (fromEnvironment !== undefined) return fromEnvironment
  // Loading wrangler takes a second, which commands that never come here should not wait for.
  const { unstable_readConfig } = await import('wrangler')
  return String(unstable_readConfig({ config: CONFIG }, { hideWarnings: true }).vars[name] ?? '')
}

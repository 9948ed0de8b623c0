import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** A deployment secret: from the environment, else from the .dev.vars that local development uses; null when in neither. */
export function readSecret(name: string): string | null {
  const fromEnvironment = process.env[name]
  if (fromEnvironment) return fromEnvironment
  const file = join(import.meta.dirname, '../../.dev.vars')
  return existsSync(file) ? (parseEnv(readFileSync(file, 'utf8'))[name] ?? null) : null
}

/** The key that admin calls show: of several, while it is being changed, the first. */
export const readAdminKey = (): string | null => readSecret('ADMIN_KEY')?.split(',')[0].trim() ?? null

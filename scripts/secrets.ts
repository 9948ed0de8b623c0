import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'

/** Fresh values for every secret the Worker needs. */
export function newSecrets(): Record<string, string> {
  const random = (): string => randomBytes(32).toString('base64url')
  return { ID_KEY: random(), TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}`, IDENTITY_KEY: random(), ADMIN_KEY: random() }
}

/** Local development's own secrets, made once. */
export function ensureLocalSecrets(file: string): void {
  if (existsSync(file)) return
  const lines = Object.entries(newSecrets()).map(([name, value]) => `${name}=${value}`)
  writeFileSync(file, `# Made by npm start for local development only. Deployments have their own.\n${lines.join('\n')}\n`, { mode: 0o600 })
}

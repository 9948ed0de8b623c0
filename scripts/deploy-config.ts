/** The ids that `wrangler.toml` leaves open, because every account has its own. */
export type DeployIds = { namespace: string }

/**
 * `wrangler.toml` with the account's own ids in place of the names that serve local development.
 * @throws Error when the text has no such name to replace
 */
export function deployConfig(text: string, { namespace }: DeployIds): string {
  const local = /(binding = "RELEASES"\n)id = "[^"]*"/
  if (!local.test(text)) throw new Error('wrangler.toml binds no RELEASES namespace with an id on the line below')
  return `# Made by "npm run deploy" from wrangler.toml; changes here are lost.\n${text.replace(local, `$1id = "${namespace}"`)}`
}

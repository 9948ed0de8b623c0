import { Command, Option } from 'commander'
import { sign } from 'hono/jwt'
import { adminClaims, type Scope, scopes } from '../../shared/admin-token.ts'
import { InputError } from '../sources/source.ts'
import { readAdminKey } from './secrets.ts'
import { readVariable } from './variables.ts'
import { wholeNumber } from './whole-number.ts'

type AdminTokenOptions = { name: string; scope: Scope[]; days: number }

export const adminTokenCommand = (): Command =>
  new Command('admin-token')
    .description('make a token that allows a part of what the admin key allows')
    .requiredOption('--name <name>', 'who will use it; the audit log shows this')
    .addOption(new Option('--scope <scopes...>', 'what it allows').choices(scopes).makeOptionMandatory())
    .option('--days <n>', 'how long it is good', wholeNumber(1, 366), 90)
    .addHelpText(
      'after',
      `
Needs ADMIN_KEY, in .dev.vars or in the environment. A token ends by itself, or for all with the key that signed it.

Example:
  $ npx nightjar admin-token --name support --scope visitors --days 30`,
    )
    .action(async ({ name, scope, days }: AdminTokenOptions) => {
      const key = readAdminKey()
      if (key === null) throw new InputError('making a token needs ADMIN_KEY: in .dev.vars or in the environment')
      const until = Math.floor(Date.now() / 1000) + days * 86_400
      process.stdout.write(`${await sign(adminClaims(await readVariable('SITE'), name, scope, until), key, 'HS256')}\n`)
    })

import type { Scope } from '../../shared/admin-token.ts'
import { isBench } from '../bench.ts'
import { HttpProblem } from '../http/problem.ts'
import { isAdmin } from '../identity/admin.ts'
import { warn } from '../log.ts'

/** Who says of itself that it is no visitor. Phones of one brand end in "bot" as well. */
const BOT = /(?<!cu)bot\b|crawl|spider|slurp/i

export const isDeclaredBot = ({ headers, cf }: Request): boolean =>
  BOT.test((headers.get('user-agent') ?? '').slice(0, 500)) ||
  (typeof cf?.verifiedBotCategory === 'string' && cf.verifiedBotCategory !== '')

/**
 * Posts of one visitor, or of one network where nobody says who it is, and of one key are limited by the platform, at each
 * of its locations. A backend with the admin key is not. @throws HttpProblem 429
 */
export async function withinLimits(
  env: Env,
  request: Request,
  sender: string | null,
  writeKey: string | undefined,
  scope: Scope = 'events',
): Promise<void> {
  if (isBench(env) || (await isAdmin(env, request, scope))) return
  const asked = [...(sender === null ? [] : [{ limiter: env.VISITOR_LIMIT, key: sender }]), { limiter: env.KEY_LIMIT, key: writeKey ?? '' }]
  for (const { limiter, key } of asked)
    if (!(await allows(limiter, key)))
      throw new HttpProblem(429, 'too many posts in a minute; send the events again later, more of them at once')
}

/** A limiter that fails keeps nobody out. */
async function allows(limiter: RateLimit, key: string): Promise<boolean> {
  try {
    return (await limiter.limit({ key })).success
  } catch (error) {
    warn('rate-limit-failed', error)
    return true
  }
}

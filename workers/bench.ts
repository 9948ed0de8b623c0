import { NOW_HEADER } from '../shared/schemas/recommendations.ts'

declare global {
  interface Env {
    /** `on` only where answers are measured (docs/quality.md); a deployment does not have it. */
    BENCH?: string
  }
}

export const isBench = (env: Env): boolean => env.BENCH === 'on'

/**
 * Unix milliseconds at which a request is made: the clock's; on a bench, what the request says, so that days between a
 * visitor's clicks can be replayed in seconds.
 */
export function nowOf(env: Env, request: Request): number {
  const said = isBench(env) ? Number(request.headers.get(NOW_HEADER)) : 0
  return said > 0 ? said : Date.now()
}

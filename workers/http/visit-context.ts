import { usualHour, zoneHour } from '../../shared/ranking/local-hour.ts'
import { deviceClass, hostOf, type ReferrerClass, referrerClass, type VisitContext } from '../../shared/ranking/visit-context.ts'
import { originsOf } from './access.ts'

/** Where the network says the visitor is, ISO 3166-1 alpha-2; null where it does not. */
export const countryOf = ({ cf }: Request): string | null => (typeof cf?.country === 'string' ? cf.country : null)

/**
 * What a request tells of the visit, in classes: neither address nor browser is kept. Only for visitors who consented.
 * @param referrer where the page says the visitor came from: a URL, '' for nowhere @param now Unix milliseconds
 */
export function visitContext(env: Env, raw: Request, referrer: string | undefined, now: number): VisitContext {
  return {
    referrer: referrerOf(env, raw, referrer),
    device: deviceClass(raw.headers.get('sec-ch-ua-mobile'), raw.headers.get('user-agent')),
    hour: hourOf(raw, now / 1000),
  }
}

function referrerOf(env: Env, raw: Request, said: string | undefined): ReferrerClass | null {
  const own = new Set([raw.url, ...originsOf(env)].flatMap((url) => hostOf(url) ?? []))
  if (said !== undefined) return referrerClass(said, own)
  const header = raw.headers.get('referer')
  if (header === null) return null
  // A script's call names the page it runs on, which is not where the visitor came from.
  const named = referrerClass(header, own)
  return named === 'internal' ? null : named
}

function hourOf(raw: Request, at: number): number {
  const { cf } = raw
  const zoned = typeof cf?.timezone === 'string' ? zoneHour(at, cf.timezone) : null
  return zoned ?? usualHour(at, countryOf(raw) ?? '')
}

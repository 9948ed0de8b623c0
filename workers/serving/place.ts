import { continentRegion, EVERYWHERE, regionPath } from '../../shared/ranking/regions.ts'
import { countryOf } from '../http/visit-context.ts'

/** From the narrowest region with lists outwards: the one asked for, else where the network says the visitor is. */
export function regionsOf(env: Env, raw: Request, asked: string | undefined, known: ReadonlySet<string>): string[] {
  const { country, continent } = placeOf(env, raw)
  if (asked === undefined) return regionPath(known, country, continent)
  return pathFrom(asked, known, asked === country ? continent : null)
}

/** A region named by the caller, then its continent where that is known, then everywhere. */
export function pathFrom(region: string, known: ReadonlySet<string>, continent: string | null): string[] {
  const wider = continent !== null && known.has(continentRegion(continent)) ? [continentRegion(continent)] : []
  return [...new Set([...(known.has(region) ? [region] : []), ...wider, EVERYWHERE])]
}

/** Every field of `cf` may be missing: then the deployment's default counts. */
export function placeOf(env: Env, raw: Request): { country: string; continent: string | null } {
  const country = countryOf(raw)
  if (country !== null) return { country, continent: typeof raw.cf?.continent === 'string' ? raw.cf.continent : null }
  return { country: env.DEFAULT_COUNTRY, continent: env.DEFAULT_CONTINENT }
}

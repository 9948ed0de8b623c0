export const EVERYWHERE = '*'
export const continentRegion = (continent: string): string => `@${continent}`

/** From the narrowest region that has lists to everywhere: what a place falls back on. */
export function regionPath(known: ReadonlySet<string>, country: string | null, continent: string | null): string[] {
  const path: string[] = []
  if (country !== null && known.has(country)) path.push(country)
  if (continent !== null && known.has(continentRegion(continent))) path.push(continentRegion(continent))
  path.push(EVERYWHERE)
  return path
}

/** For every parameter the values that are tried. */
export type Grid<P> = { readonly [K in keyof P]: readonly P[K][] }

/**
 * Coordinate search: one parameter after the other takes each of its values while the others stay, round after round,
 * until a round changes nothing or `trials` settings were judged. A setting is judged once.
 * @param quality higher is better; on a tie the earlier setting stays
 */
export async function coordinateSearch<P extends Record<string, number>>(
  start: P,
  grid: Grid<P>,
  trials: number,
  quality: (parameters: P) => number | Promise<number>,
): Promise<{ best: P; quality: number; tried: number }> {
  const judged = new Set([JSON.stringify(start)])
  let best = start
  let most = await quality(start)
  for (let round = start; ; round = best) {
    for (const parameter of Object.keys(grid) as (keyof P)[]) {
      for (const value of grid[parameter]) {
        const attempt = { ...best, [parameter]: value }
        const key = JSON.stringify(attempt)
        if (judged.has(key)) continue
        if (judged.size >= trials) return { best, quality: most, tried: judged.size }
        judged.add(key)
        const reached = await quality(attempt)
        if (reached <= most) continue
        most = reached
        best = attempt
      }
    }
    if (round === best) return { best, quality: most, tried: judged.size }
  }
}

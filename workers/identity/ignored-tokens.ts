export type TokenKind = 'memory' | 'visitor' | 'identity' | 'admin'
export type IgnoredBecause = 'forged or damaged' | 'expired' | 'another site’s' | 'no admin’s'

/** Anyone can send anything, and each line of log costs: they are counted here, and told at most once a minute an isolate. */
const TOLD_EVERY_MS = 60_000

const counts = new Map<string, number>()
let toldAt = 0

/** Counts a token that was ignored. It says of what kind it was and why, and nothing of whose. */
export function countIgnored(kind: TokenKind, because: IgnoredBecause): void {
  const name = `${kind} ${because}`
  counts.set(name, (counts.get(name) ?? 0) + 1)
  const now = Date.now()
  if (now - toldAt < TOLD_EVERY_MS && now >= toldAt) return
  console.warn(JSON.stringify({ event: 'tokens-ignored', ...Object.fromEntries(counts) }))
  counts.clear()
  toldAt = now
}

/** Starts counting anew. @returns what was counted and not told yet */
export function takeIgnored(): Record<string, number> {
  const taken = Object.fromEntries(counts)
  counts.clear()
  toldAt = 0
  return taken
}

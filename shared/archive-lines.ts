import { hasExpired, type Retention } from './retention.ts'

/** Until when (Unix milliseconds) nothing that a pseudonym did may be kept. */
export type Erasures = ReadonlyMap<string, number>

/** What a file of the archive holds once what must go is gone, and what went. */
export type Purged = { text: string; forgotten: number; expired: number; visitors: string[] }

type Line = { type: string; received: number; visitor?: unknown; until?: unknown; into?: unknown }

/** The erasures among a file's lines. */
export function erasuresIn(text: string): [visitor: string, until: number][] {
  if (!text.includes('"type":"erasure"')) return []
  return text
    .split('\n')
    .flatMap(lineOf)
    .flatMap(({ type, visitor, until }) =>
      type === 'erasure' && typeof visitor === 'string' && typeof until === 'number' ? [[visitor, until] as [string, number]] : [],
    )
}

/** The logins among a file's lines: who did something as `from` is `into`. */
export function mergesIn(text: string): [from: string, into: string][] {
  if (!text.includes('"type":"merge"')) return []
  return text
    .split('\n')
    .flatMap(lineOf)
    .flatMap(({ type, visitor, into }) =>
      type === 'merge' && typeof visitor === 'string' && typeof into === 'string' ? [[visitor, into] as [string, string]] : [],
    )
}

/**
 * The text of an archive file without the lines of erased visitors and without those that have had their time. Lines that
 * cannot be read stay, for whoever judges them. @param now Unix milliseconds
 */
export function purge(text: string, erasures: Erasures, retention: Retention, now: number): Purged {
  const visitors = new Set<string>()
  let forgotten = 0
  let expired = 0
  const kept = text.split('\n').filter((written) => {
    const [line] = lineOf(written)
    if (line === undefined) return written !== ''
    const { type, visitor, received } = line
    if (type !== 'erasure' && typeof visitor === 'string' && received <= (erasures.get(visitor) ?? -1)) {
      visitors.add(visitor)
      forgotten++
      return false
    }
    if (!hasExpired(retention, line, now)) return true
    expired++
    return false
  })
  return { text: kept.map((line) => `${line}\n`).join(''), forgotten, expired, visitors: [...visitors] }
}

function lineOf(text: string): Line[] {
  if (text === '') return []
  try {
    const value: unknown = JSON.parse(text)
    const read = value !== null && typeof value === 'object' && 'type' in value && 'received' in value
    return read && typeof value.type === 'string' && typeof value.received === 'number' ? [value as Line] : []
  } catch {
    return []
  }
}

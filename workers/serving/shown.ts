import type { Reason, Source } from '../../shared/schemas/recommendations.ts'

/** One item of a slate before its values are filled in. */
export type Shown = {
  item: number
  score: number
  source: Source
  reasons: (Exclude<Reason, { code: 'similar-to' | 'bought-with' }> | { code: 'similar-to' | 'bought-with'; of: number })[]
  explain?: { features: Record<string, number>; sources: Partial<Record<Source, number>> }
}

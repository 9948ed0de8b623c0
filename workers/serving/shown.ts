import type { Reason, Rung, Source } from '../../shared/schemas/recommendations.ts'

/** A reason as the slate knows it: by item index where the answer names an item. */
export type ShownReason = Exclude<Reason, { code: 'similar-to' | 'bought-with' }> | { code: 'similar-to' | 'bought-with'; of: number }

/** One item of a slate before its values are filled in. */
export type Shown = {
  item: number
  score: number
  source: Source
  reasons: ShownReason[]
  explain?: { features: Record<string, number>; sources: Partial<Record<Source, number>> }
}

/** Items in the order in which they are shown, and what put them there. */
export type Shelf = { shown: Shown[]; rung: Rung }

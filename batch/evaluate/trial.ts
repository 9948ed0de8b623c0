import type { HistoryItem } from '../../shared/ranking/release-view.ts'
import type { VisitContext } from '../../shared/ranking/visit-context.ts'
import type { Dataset } from '../dataset.ts'

/** One question with its true answer. Items are indices into the training catalogue. */
export type Query = {
  /** The visitor's distinct items before the decision, newest first; at most what the edge remembers, but for whole-history tasks. */
  history: readonly HistoryItem[]
  /** The part of `history`, from its front, that belongs to the session going on; 0 at the start of one. */
  inSession: number
  /** ISO 3166-1 alpha-2; '' = unknown. */
  country: string
  /** What the edge would know of the visit besides, were there no history. */
  context: VisitContext
  /** What the visitor took; items that training does not know are negative numbers, misses for everyone. */
  relevant: ReadonlySet<number>
  /** Items that no system may answer with; the evaluator takes them out of every slate. */
  masked: ReadonlySet<number>
  /** Queries of one visitor or session are drawn together by the bootstrap. */
  cluster: number
}

export type Task = { name: string; queries: Query[] }

/** What a smaller trial, cut out of the training part, says about a system: higher is better. */
export type Validation = { trial: Trial; quality(system: System): Promise<number> }

/** A data set, cut: what may be learned from, and what is asked afterwards. */
export type Trial = {
  dataset: string
  train: Dataset
  /** Whether deeds have times that mean something, or only an order, or not even that. */
  time: 'seconds' | 'order' | 'none'
  tasks: Task[]
}

/** Something that answers queries. `rank` gives at least `k` items, best first, masked ones included, where it knows so many. */
export type System = {
  name: string
  rank(query: Query, k: number): ArrayLike<number> | Promise<ArrayLike<number>>
  /** Stored for serving, over the number of items; undefined where nothing is stored as such. */
  bytesPerItem?: number
  /** What was chosen on validation. */
  setting?: Readonly<Record<string, number>>
}

/** A system that does not apply to a trial says why. */
export type Omitted = { name: string; omitted: string }

import { ndcgAt, recallAt } from '../../shared/metrics.ts'
import { SLATE, slatesOf } from './measure.ts'
import type { Query, Task, Trial, Validation } from './trial.ts'

/** So many queries of a task tell two settings apart; more would only take longer. */
const MOST_QUERIES = 1000

/** Judges what is fitted on the inner trial's training part by NDCG@20 + Recall@20, the measure of our own search, as a mean over its tasks. */
export function validationOf(trial: Trial): Validation {
  const tasks = trial.tasks.map(({ name, queries }) => ({ name, queries: evenly(queries, MOST_QUERIES) }))
  return {
    trial,
    async quality(system) {
      let sum = 0
      for (const { queries } of tasks) {
        const slates = await slatesOf(system, queries)
        const of = ({ relevant }: Query, i: number): number => ndcgAt(slates[i], relevant, SLATE) + recallAt(slates[i], relevant, SLATE)
        sum += queries.reduce((total, query, i) => total + of(query, i), 0) / Math.max(1, queries.length)
      }
      return sum / Math.max(1, tasks.length)
    },
  }
}

/** Only the tasks that ask within sessions; all where there are none. */
export function withinSessions({ trial }: Validation): Validation {
  const tasks = trial.tasks.filter(({ queries }) => queries.some(({ inSession }) => inSession > 0))
  return validationOf({ ...trial, tasks: tasks.length > 0 ? tasks : trial.tasks })
}

/** At most `most` of them, at even distances. */
const evenly = (queries: Task['queries'], most: number): Query[] =>
  queries.length <= most ? queries : Array.from({ length: most }, (_, i) => queries[Math.floor((i * queries.length) / most)])

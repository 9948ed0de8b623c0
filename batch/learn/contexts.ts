import { usualHour } from '../../shared/ranking/local-hour.ts'
import { deviceClasses, referrerClasses, type VisitContext } from '../../shared/ranking/visit-context.ts'
import type { Dataset } from '../dataset.ts'

/** What the edge would have known of the visit at deed `k` before any click. */
export function contextAt({ deeds, countries }: Dataset, k: number): VisitContext {
  return {
    referrer: referrerClasses[deeds.referrer[k] - 1] ?? null,
    device: deviceClasses[deeds.device[k] - 1] ?? null,
    hour: usualHour(deeds.at[k], countries[deeds.country[k]]),
  }
}

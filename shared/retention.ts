const DAY_MS = 86_400_000
/** In days. An erasure is kept longest: it keeps an import from bringing its visitor back. */
const USUAL_DAYS = 400

/** How many days a type of event is kept in the archive; types that are not named, as long as `other`. */
export type Retention = { days: ReadonlyMap<string, number>; other: number }

/**
 * Reads `impression=90,click=400,other=400`, as the variable RETENTION_DAYS has it.
 * @throws RangeError with one line that says what to write
 */
export function parseRetention(text: string): Retention {
  const days = new Map<string, number>()
  for (const part of text.split(',').filter((entry) => entry.trim() !== '')) {
    const [type, count, ...more] = part.split('=').map((word) => word.trim())
    if (type === '' || more.length > 0 || !/^[1-9]\d{0,4}$/.test(count ?? ''))
      throw new RangeError(`RETENTION_DAYS: "${part.trim()}" is not <event type>=<days>, such as impression=90`)
    days.set(type, Number(count))
  }
  const other = days.get('other') ?? USUAL_DAYS
  days.delete('other')
  return { days, other }
}

/** How many days records of this type are kept. */
export const daysOf = (retention: Retention, type: string): number =>
  retention.days.get(type) ?? (type === 'erasure' ? Math.max(USUAL_DAYS, retention.other) : retention.other)

/** Whether a line of the archive has had its time. @param now Unix milliseconds */
export const hasExpired = (retention: Retention, record: { type: string; received: number }, now: number): boolean =>
  record.received < now - daysOf(retention, record.type) * DAY_MS

/** How many of the periods that occur have passed for everything of a day (`2026-11-23`), and whether all of them have. */
export function periodsPassed(retention: Retention, date: string, now: number): { passed: number; all: boolean } {
  const periods = new Set([...retention.days.values(), retention.other, daysOf(retention, 'erasure')])
  const passed = [...periods].filter((days) => Date.parse(date) + (days + 1) * DAY_MS <= now).length
  return { passed, all: passed === periods.size }
}

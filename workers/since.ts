/**
 * Milliseconds since `at` (Unix milliseconds). What is in the future was noted by a clock that has been set back since: it is as
 * old as anything, because waiting until the clock is there again could take a day.
 */
export function since(at: number): number {
  const age = Date.now() - at
  return age < 0 ? Number.POSITIVE_INFINITY : age
}

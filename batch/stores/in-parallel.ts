/** More at once only wait for each other, in local SQLite as behind the API's rate limit. */
const AT_ONCE = 8

/** Runs `run` for every job, a few at a time. @throws what the first that fails throws */
export async function inParallel<T>(jobs: readonly T[], run: (job: T) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < jobs.length; i += AT_ONCE) await Promise.all(jobs.slice(i, i + AT_ONCE).map(run))
}

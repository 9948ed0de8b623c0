/** Something took longer than it may. */
export class TooLate extends Error {
  override name = 'TooLate'
}

/** What `promise` brings within `ms`: nothing on the way to an answer may hang. @throws TooLate */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TooLate(`nothing came within ${ms} ms`)), ms)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

/** More turns of the microtask queue than the 15 that an answer takes whose parts are all at hand. */
const WARM_TURNS = 40

/**
 * The same for what is mostly there without waiting for anything: a timer costs as much as checking a token does, so one is only
 * set for what has not come after so many turns.
 * @param part what it waits for first, which has a limit of its own and never fails: one timer is then enough
 * @throws TooLate
 */
export async function mostlyAtOnce<T>(ms: number, promise: Promise<T>, part?: Promise<unknown>): Promise<T> {
  let settled = false
  const settle = (): void => {
    settled = true
  }
  promise.then(settle, settle)
  const isSettledSoon = async (): Promise<boolean> => {
    for (let turn = 0; turn < WARM_TURNS && !settled; turn++) await null
    return settled
  }
  if (await isSettledSoon()) return promise
  const start = Date.now()
  await part
  if (part !== undefined && (await isSettledSoon())) return promise
  return within(ms - Math.max(0, Date.now() - start), promise)
}

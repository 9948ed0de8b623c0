/** Something took longer than it may. */
export class TooLate extends Error {
  override name = 'TooLate'
}

/** What `promise` brings within `ms`: nothing on the way to an answer may hang. @throws TooLate */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(`nothing came within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

import { type Background, timeLeft } from '../background.ts'
import { since } from '../since.ts'
import { TooLate, within } from '../within.ts'

/** KV that has not answered by then is down as far as this request is concerned. */
const READ_MS = 3_000
/** A read that failed is not tried again for so long: an outage must not become load, nor outlive itself by much. */
const FAILED_MS = 5_000

/**
 * One read, however many requests ask for the same thing at once. The platform drops a request's unfinished I/O when its
 * client goes away, so the reading request is kept alive by waitUntil, and nobody trusts another's read for ever.
 */
export class SharedReads {
  private readonly running = new Map<string, { read: Promise<unknown>; since: number }>()
  private readonly failed = new Map<string, { error: unknown; at: number }>()

  /**
   * @param key stands for what `read` brings, so the caller knows T
   * @param read keeps what it brings by itself: the one who asked first may be gone by then
   * @throws what `read` throws, or TooLate
   */
  async get<T>(ctx: Background, key: string, read: () => Promise<T>): Promise<T> {
    const failure = this.failed.get(key)
    if (failure !== undefined && since(failure.at) < FAILED_MS) throw failure.error
    const left = timeLeft(ctx)
    const running = this.running.get(key)?.read as Promise<T> | undefined
    if (running === undefined) {
      if (left <= 0) throw new TooLate(`no time is left to read ${key}`)
      const started = this.start(ctx, key, read)
      return left < READ_MS ? within(left, started) : started
    }
    try {
      return await within(Math.min(left, READ_MS), running)
    } catch (error) {
      if (!(error instanceof TooLate) || left < READ_MS || this.running.get(key)?.read !== running) throw error
      this.running.delete(key)
      return this.start(ctx, key, read)
    }
  }

  /**
   * Whether it is being read, by someone who can still be trusted to end: who needs it only for those that follow need not
   * join in. Under load hundreds would, each held up until the read has ended.
   */
  underWay(key: string): boolean {
    const running = this.running.get(key)
    return running !== undefined && since(running.since) < READ_MS
  }

  private start<T>(ctx: Background, key: string, read: () => Promise<T>): Promise<T> {
    this.failed.delete(key)
    const started: Promise<T> = within(READ_MS, read())
      .catch((error: unknown) => {
        this.failed.set(key, { error, at: Date.now() })
        throw error
      })
      .finally(() => {
        if (this.running.get(key)?.read === started) this.running.delete(key)
      })
    this.running.set(key, { read: started, since: Date.now() })
    ctx.waitUntil(started.catch(() => undefined))
    return started
  }
}

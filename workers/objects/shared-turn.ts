/** Work of which one runs at a time: whoever asks while it does shares the next run, which begins after they asked. */
export class SharedTurn<T> {
  private readonly work: () => Promise<T>
  private running: Promise<unknown> = Promise.resolve()
  private next: Promise<T> | null = null

  constructor(work: () => Promise<T>) {
    this.work = work
  }

  ask(): Promise<T> {
    if (this.next !== null) return this.next
    const next = this.running.then(() => {
      this.next = null
      return this.work()
    })
    this.next = next
    this.running = next.catch(() => undefined)
    return next
  }
}

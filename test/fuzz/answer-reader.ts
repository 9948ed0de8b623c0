/** An answer as it came: `head` is the status line and the header lines, undecoded. */
export type Answer = { status: number; head: string; headers: ReadonlyMap<string, string>; body: Buffer; closes: boolean }

const NEWLINE = Buffer.from('\r\n')
const BLANK = Buffer.from('\r\n\r\n')

/** Reads HTTP/1.1 answers from a connection, one after the other, with whatever comes unasked. */
export class AnswerReader {
  readonly answers: Answer[] = []
  private rest: Buffer = Buffer.alloc(0)
  private readonly bodiless: boolean

  /** @param bodiless whether the request was a HEAD */
  constructor(bodiless: boolean) {
    this.bodiless = bodiless
  }

  take(data: Buffer): void {
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data])
    while (this.rest.length > 0 && this.next(false)) {
      // Each turn takes one answer out of the rest.
    }
  }

  /** The other side has said all it will: an answer without a length ends here. */
  end(): void {
    if (this.rest.length > 0) this.next(true)
  }

  private next(ended: boolean): boolean {
    const end = this.rest.indexOf(BLANK)
    if (end < 0) return false
    const head = this.rest.subarray(0, end).toString('latin1')
    const [first, ...lines] = head.split('\r\n')
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    const status = Number(first.split(' ')[1])
    const from = end + BLANK.length
    const taken = this.body(from, status, headers, ended)
    if (taken === null) return false
    this.rest = this.rest.subarray(taken.end)
    if (status >= 200) this.answers.push({ status, head, headers, body: taken.body, closes: headers.get('connection') === 'close' })
    return true
  }

  private body(from: number, status: number, headers: Map<string, string>, ended: boolean): { body: Buffer; end: number } | null {
    if (this.bodiless || status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), end: from }
    if (headers.get('transfer-encoding') === 'chunked') return this.chunks(from)
    const length = headers.get('content-length')
    if (length === undefined) return ended ? { body: this.rest.subarray(from), end: this.rest.length } : null
    const end = from + Number(length)
    return this.rest.length < end ? null : { body: this.rest.subarray(from, end), end }
  }

  private chunks(from: number): { body: Buffer; end: number } | null {
    const parts: Buffer[] = []
    for (let at = from; ; ) {
      const line = this.rest.indexOf(NEWLINE, at)
      if (line < 0) return null
      const size = Number.parseInt(this.rest.subarray(at, line).toString('latin1'), 16)
      const start = line + NEWLINE.length
      if (this.rest.length < start + size + NEWLINE.length) return null
      if (size === 0) return { body: Buffer.concat(parts), end: start + NEWLINE.length }
      parts.push(this.rest.subarray(start, start + size))
      at = start + size + NEWLINE.length
    }
  }
}

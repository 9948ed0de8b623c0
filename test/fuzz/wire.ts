import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type Answer, AnswerReader } from './answer-reader.ts'

/** How a body is announced; all but `length` and `chunked` are wrong in one way or another. */
export type Framing =
  | { kind: 'length' }
  | { kind: 'chunked'; size: number }
  /** Fewer bytes come than were announced, then the sender is done. */
  | { kind: 'cut'; missing: number }
  /** More bytes come than were announced. */
  | { kind: 'over'; extra: number }
  /** These header lines in place of a true one. */
  | { kind: 'odd'; lines: string[] }

/** A request as it is written on the socket; names and values go as they are, in UTF-8. */
export type Request = {
  method: string
  target: string
  version: string
  headers: [name: string, value: string][]
  body: Buffer | null
  framing: Framing
}

/** What came of one. `ms` is until the last byte of the first answer, or until it was given up. */
export type Outcome = { answers: Answer[]; ms: number; ended: 'answered' | 'closed' | 'silent' }

/** Whoever has sent all that was announced, in well-formed lines, is owed an answer; others may be hung up on. */
export const isWhole = ({ framing, method, target, version, headers }: Request): boolean =>
  (framing.kind === 'length' || framing.kind === 'chunked') &&
  version === 'HTTP/1.1' &&
  /^[A-Z]+$/.test(method) &&
  /^\/[\x21-\x7e]*$/.test(target) &&
  headers.every(
    ([name, value]) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(value) && !FRAMING_HEADERS.has(name.toLowerCase()),
  )

/** Those change what is owed: an upgrade, an end of the connection, a length. */
const FRAMING_HEADERS = new Set(['content-length', 'transfer-encoding', 'connection', 'upgrade', 'host', 'te', 'trailer', 'expect'])

/** The bytes of a request. @param host for its Host line, where it has none of its own */
export function bytesOf(request: Request, host: string): Buffer {
  const { method, target, version, headers, body, framing } = request
  const lines = [`${method} ${target} ${version}`]
  if (!headers.some(([name]) => name.toLowerCase() === 'host')) lines.push(`Host: ${host}`)
  lines.push(...headers.map(([name, value]) => `${name}: ${value}`))
  const length = body?.length ?? 0
  if (framing.kind === 'odd') lines.push(...framing.lines)
  else if (framing.kind === 'chunked') lines.push('Transfer-Encoding: chunked')
  else if (body !== null) {
    const announced =
      framing.kind === 'cut' ? length + framing.missing : framing.kind === 'over' ? Math.max(0, length - framing.extra) : length
    lines.push(`Content-Length: ${announced}`)
  }
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
  if (framing.kind === 'chunked') return Buffer.concat([head, chunked(body ?? Buffer.alloc(0), framing.size)])
  return body === null ? head : Buffer.concat([head, body])
}

function chunked(body: Buffer, size: number): Buffer {
  const parts: Buffer[] = []
  for (let from = 0; from < body.length; from += size) {
    const part = body.subarray(from, from + size)
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'))
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
}

/** A whole request that got nothing for so long never will. */
const SILENT_MS = 10_000
/** Who announced what does not come may be waited for without end: an answer that has not come by then is not owed. */
const BROKEN_MS = 150
/** How long after an answer to a broken request a second one may still come. */
const AFTERWARDS_MS = 30

/** Sends requests over sockets of its own; connections of whole requests are used again, as browsers do. */
export class Wire {
  readonly host: string
  private readonly hostname: string
  private readonly port: number
  private idle: Socket[] = []
  /** How often something came that nobody had asked for. */
  unasked = 0

  constructor(url: string) {
    const { hostname, port, host } = new URL(url)
    this.hostname = hostname
    this.port = Number(port)
    this.host = host
  }

  async send(request: Request): Promise<Outcome> {
    const bytes = bytesOf(request, this.host)
    return isWhole(request) ? this.exchange(bytes, request.method) : this.attempt(bytes, request)
  }

  close(): void {
    for (const socket of this.idle) socket.destroy()
    this.idle = []
  }

  /** One request, one answer. A kept connection that the server has just closed says nothing about the request. */
  private async exchange(bytes: Buffer, method: string): Promise<Outcome> {
    for (;;) {
      const kept = this.idle.pop()
      const socket = kept ?? (await this.open())
      socket.removeAllListeners()
      const outcome = await converse(socket, bytes, method, SILENT_MS)
      if (kept !== undefined && outcome.ended === 'closed' && outcome.answers.length === 0) continue
      if (outcome.ended === 'answered' && !outcome.answers[0]?.closes) {
        this.keep(socket)
      } else socket.destroy()
      return outcome
    }
  }

  /** A connection that the other side ends while it is not used is not used again. */
  private keep(socket: Socket): void {
    socket.removeAllListeners()
    const drop = (): void => {
      socket.destroy()
      this.idle = this.idle.filter((other) => other !== socket)
    }
    socket.once('error', drop).once('end', drop).once('close', drop)
    socket.once('data', () => {
      this.unasked++
      drop()
    })
    this.idle.push(socket)
  }

  /** What is broken goes over a connection of its own, where whatever else comes can be seen. */
  private async attempt(bytes: Buffer, { method, framing }: Request): Promise<Outcome> {
    const socket = await this.open()
    const patience = framing.kind === 'length' || framing.kind === 'chunked' ? SILENT_MS / 5 : BROKEN_MS
    const conversation = converse(socket, bytes, method, patience, AFTERWARDS_MS)
    if (framing.kind === 'cut') socket.end()
    const outcome = await conversation
    socket.destroy()
    return outcome
  }

  private open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.hostname, port: this.port, noDelay: true, allowHalfOpen: true })
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(socket)
      })
      socket.once('error', reject)
    })
  }
}

/** Writes the bytes and reads answers: until the first, or for `afterwards` milliseconds longer. */
function converse(socket: Socket, bytes: Buffer, method: string, patience: number, afterwards = 0): Promise<Outcome> {
  return new Promise((resolve) => {
    const reader = new AnswerReader(method === 'HEAD')
    const start = performance.now()
    let ms = 0
    const done = (ended: Outcome['ended']): void => {
      clearTimeout(timer)
      socket.removeAllListeners('data')
      socket.removeAllListeners('end')
      socket.removeAllListeners('close')
      resolve({ answers: reader.answers, ms: ms || performance.now() - start, ended: reader.answers.length > 0 ? 'answered' : ended })
    }
    const timer = setTimeout(() => done('silent'), patience)
    socket.on('data', (data: Buffer) => {
      const before = reader.answers.length
      reader.take(data)
      if (reader.answers.length === 0) return
      if (before === 0) {
        ms = performance.now() - start
        if (afterwards === 0) done('answered')
        else void wait(afterwards).then(() => done('answered'))
      }
    })
    socket.once('end', () => {
      reader.end()
      if (reader.answers.length > 0 && ms === 0) ms = performance.now() - start
      done('closed')
    })
    socket.once('close', () => done('closed'))
    socket.on('error', () => done('closed'))
    socket.write(bytes)
  })
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Seen = { method: string; path: string; headers: IncomingMessage['headers']; body: Buffer }
/** Answers a request itself and returns true, or leaves it, perhaps with another body, to the server behind. */
export type Perturbation = (seen: Seen, answer: ServerResponse, n: number) => boolean | Promise<boolean>

export type PerturbingProxy = {
  url: string
  /** Every request since the last `perturb`. */
  seen: Seen[]
  perturb(how: Perturbation): void
  close(): Promise<void>
}

export const passOn: Perturbation = () => false

/** A real HTTP server in front of another that does to requests what a bad day on the network does. */
export async function startPerturbingProxy(upstream: string): Promise<PerturbingProxy> {
  let how = passOn
  const seen: Seen[] = []
  const server = createServer((request, answer) => {
    void handle(request, answer).catch(() => answer.destroy())
  })
  async function handle(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const one: Seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: await bodyOf(request) }
    const n = seen.push(one)
    if (await how(one, answer, n)) return
    const { method, path, headers, body } = one
    const contentType = headers['content-type']
    const reply = await fetch(`${upstream}${path}`, {
      method,
      headers: contentType === undefined ? {} : { 'content-type': contentType },
      ...(body.length === 0 ? {} : { body: Uint8Array.from(body) }),
    })
    answer.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? 'application/octet-stream' })
    answer.end(Buffer.from(await reply.arrayBuffer()))
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    perturb(next) {
      seen.length = 0
      how = next
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections()
        server.close(() => done())
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts)
}

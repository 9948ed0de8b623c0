import { bytesOf, isWhole, type Request } from './wire.ts'

/** A line for bash that sends the same request again: with curl where curl can say it, else the bytes themselves. */
export function commandOf(request: Request, url: string): string {
  const { host, hostname, port, origin } = new URL(url)
  if (!isWhole(request) || request.framing.kind !== 'length') return `printf ${printed(bytesOf(request, host))} | nc ${hostname} ${port}`
  const { method, target, headers, body } = request
  // curl would add these of its own.
  const unsaid = ['content-type', 'accept', 'user-agent'].filter((name) => !headers.some(([other]) => other.toLowerCase() === name))
  const curl = [
    'curl -isg --path-as-is --http1.1',
    method === 'HEAD' ? '-I' : `-X ${method}`,
    ...unsaid.map((name) => `-H '${name}:'`),
    ...headers.map(([name, value]) => `-H ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`),
    ...(body === null ? [] : ['--data-binary @-']),
    quoted(origin + target),
  ].join(' ')
  return body === null ? curl : `printf ${printed(body)} | ${curl}`
}

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c

/** Bytes as a format of printf's. */
const printed = (bytes: Buffer): string =>
  `'${Array.from(bytes, (byte) => (byte === 0x25 ? '%%' : isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`)).join('')}'`

const quoted = (text: string): string =>
  `$'${Array.from(Buffer.from(text), (byte) => (isPlain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`)).join('')}'`

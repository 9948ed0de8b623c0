import { utf8 } from '../../../shared/utf8.ts'

/** What stands where something else did: the least, the most, the other kind, the name that is none. */
const FRAGMENTS = [
  'null',
  'true',
  'false',
  '0',
  '-1',
  '1e999',
  '9007199254740993',
  '"',
  '""',
  '{',
  '}',
  '[',
  ']',
  '[]',
  '{}',
  ',',
  ':',
  '.',
  '..',
  '\n',
  '"__proto__"',
  '"type":"erasure"',
  '"type":"merge"',
  '"v":2',
  '\u0000',
  '\ud800',
  'ü',
  '=',
  '-',
  '_',
  'AAAA',
  'v1.',
  'k1.',
  'user:',
].map(utf8)

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000]

type Random = () => number
const below = (random: Random, end: number): number => Math.floor(random() * end)

/** One to four changes: a bit, a byte, a number, a piece taken out, doubled, moved, or put in. Sometimes none. */
export function mutate(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (random() < 0.01) return bytes.slice()
  let changed = bytes.slice()
  for (let times = 1 + below(random, 4); times > 0; times--) changed = once(changed, random)
  return changed
}

function once(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  const at = below(random, bytes.length)
  const length = 1 + below(random, random() < 0.8 ? 8 : Math.max(1, bytes.length))
  switch (below(random, 9)) {
    case 0:
      return put(bytes, at, [(bytes[at] ?? 0) ^ (1 << below(random, 8))])
    case 1:
      return put(bytes, at, [below(random, 256)])
    case 2: {
      const extreme = EXTREMES[below(random, EXTREMES.length)]
      return put(bytes, at & ~3, [extreme & 0xff, (extreme >>> 8) & 0xff, (extreme >>> 16) & 0xff, extreme >>> 24])
    }
    case 3:
      return bytes.slice(0, at)
    case 4:
      return spliced(bytes, at, length, new Uint8Array(0))
    case 5:
      return spliced(bytes, at, 0, bytes.slice(at, at + length))
    case 6:
      return spliced(bytes, at, 0, bytes.slice(below(random, bytes.length)).slice(0, length))
    case 7:
      return spliced(bytes, at, 0, FRAGMENTS[below(random, FRAGMENTS.length)])
    default:
      return spliced(bytes, at, length, FRAGMENTS[below(random, FRAGMENTS.length)])
  }
}

function put(bytes: Uint8Array<ArrayBuffer>, at: number, values: readonly number[]): Uint8Array<ArrayBuffer> {
  values.forEach((value, i) => {
    if (at + i < bytes.length) bytes[at + i] = value
  })
  return bytes
}

function spliced(bytes: Uint8Array<ArrayBuffer>, at: number, out: number, put: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(Math.min(bytes.length, at + out))
  const joined = new Uint8Array(Math.min(at, bytes.length) + put.length + rest.length)
  joined.set(bytes.subarray(0, at))
  joined.set(put, Math.min(at, bytes.length))
  joined.set(rest, Math.min(at, bytes.length) + put.length)
  return joined
}

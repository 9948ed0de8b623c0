import { hmac } from '../identity/hmac.ts'

const DAY_MS = 86_400_000

/**
 * The network a request comes from, as no more than its shard needs to count how many visitors are behind it: 32 bits of an
 * HMAC over the day and the /24 (IPv4) or /48 (IPv6) of the address. Null where there is no address, or it is the machine's
 * own, from which all of a local test comes. It is never archived.
 * @param now Unix milliseconds
 */
export async function networkOf(env: Env, request: Request, now: number): Promise<string | null> {
  const prefix = prefixOf(request.headers.get('cf-connecting-ip') ?? '')
  if (prefix === null) return null
  const mac = await hmac(env.ID_KEY, `network:${Math.floor(now / DAY_MS)}:${prefix}`)
  return Array.from(mac.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** `192.0.2` of 192.0.2.7, `2001:db8:1` of 2001:db8:1::7; null for what is no address of a network. */
export function prefixOf(address: string): string | null {
  if (address === '::1' || /^(::ffff:)?127\./i.test(address)) return null
  const four = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i.exec(address)
  if (four !== null) return four[1]
  if (!address.includes(':')) return null
  const [head, tail] = address
    .toLowerCase()
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  const groups =
    tail === undefined ? head : [...head, ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0'), ...tail]
  return groups
    .slice(0, 3)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

import type { Answer } from './answer-reader.ts'
import type { Contract } from './contract.ts'
import type { Attack } from './requests.ts'
import { isWhole, type Outcome } from './wire.ts'

/** What must not happen. */
export type Check = 'server-error' | 'slow' | 'echo' | 'unprotected' | 'no-answer' | 'two-answers' | 'undocumented'
export type Finding = { check: Check; detail: string }

/** No visitor waits longer. */
export const SLOW_MS = 1000

/** A longer one is refused unread. */
const LONG_BODY = 64 * 1024

/** Names that an answer's headers may have: any other came in from outside. */
const HEADERS = new Set([
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'allow',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-security-policy',
  'content-type',
  'date',
  'etag',
  'referrer-policy',
  'retry-after',
  'server-timing',
  'strict-transport-security',
  'transfer-encoding',
  'vary',
  'www-authenticate',
  'x-content-type-options',
])

/** The Worker marks each of its answers; what lacks the mark came from the runtime before it. */
const isWorkers = ({ headers }: Answer): boolean => headers.get('x-content-type-options') === 'nosniff'

/** With these the runtime turns away what is no HTTP; the Worker never hears of it. */
const REFUSED = new Set([400, 408, 413, 414, 431, 501, 505])

/** What is wrong with what came of a request; null where nothing is. @param marker the text that stood in it */
export function judge(contract: Contract, attack: Attack, outcome: Outcome, marker: string): Finding | null {
  const { answers, ended, ms } = outcome
  // Who is answered while still sending, and hung up on, may lose the answer with the connection.
  const whole = isWhole(attack.request) && !(ended === 'closed' && (attack.request.body?.length ?? 0) > LONG_BODY)
  if (whole && answers.length === 0) return { check: 'no-answer', detail: `the connection was ${ended} after ${Math.round(ms)} ms` }
  if (whole && answers.length > 1) return { check: 'two-answers', detail: answers.map(({ status }) => status).join(', ') }
  for (const answer of answers) {
    const finding = judgeAnswer(contract, attack, answer, marker)
    if (finding !== null) return finding
  }
  // The runtime takes a second over its own refusal of a head of more than 128 KB.
  if (answers.some(isWorkers) && ms > SLOW_MS) return { check: 'slow', detail: `${Math.round(ms)} ms` }
  return null
}

function judgeAnswer(contract: Contract, attack: Attack, answer: Answer, marker: string): Finding | null {
  const { status, head, headers, body } = answer
  const ours = isWorkers(answer)
  // What is no HTTP is the business of whatever stands before the Worker: here the local runtime, deployed the platform's edge.
  if (!ours && isNoHttp(attack) && !hasMarker(body.toString(), marker)) return null
  if (!ours && !(REFUSED.has(status) && !hasMarker(head, marker) && !hasMarker(body.toString(), marker)))
    return {
      check: status >= 500 ? 'server-error' : 'unprotected',
      detail: `${status} without the Worker’s headers: ${body.toString().slice(0, 200)}`,
    }
  if (!ours) return null
  if (status >= 500) return { check: 'server-error', detail: `${status}: ${body.toString().slice(0, 300)}` }
  for (const name of headers.keys()) if (!HEADERS.has(name)) return { check: 'unprotected', detail: `a header ${name}` }
  if (headers.get('content-security-policy') !== "default-src 'none'; frame-ancestors 'none'")
    return { check: 'unprotected', detail: 'no content security policy' }
  if (body.length > 0 && !/^application\/(problem\+)?json$/.test(headers.get('content-type') ?? ''))
    return { check: 'unprotected', detail: `content type ${headers.get('content-type')}` }
  if (hasMarker(head, marker)) return { check: 'echo', detail: `in a header: ${head}` }
  const left = withoutAllowed(attack, status, body)
  if (hasMarker(left, marker)) return { check: 'echo', detail: left.slice(0, 500) }
  const fault = isAnswerOf(attack) ? contract.faultOf(attack.operation, answer) : null
  return fault === null ? null : { check: 'undocumented', detail: fault }
}

const isNoHttp = ({ request: { framing, version, target, headers } }: Attack): boolean =>
  framing.kind === 'odd' ||
  version !== 'HTTP/1.1' ||
  !target.startsWith('/') ||
  hostsOf(headers).length > 1 ||
  hostsOf(headers).some((host) => !/^[\w.-]+(:\d+)?$/.test(host))
const hostsOf = (headers: Attack['request']['headers']): string[] =>
  headers.filter(([name]) => name.toLowerCase() === 'host').map(([, value]) => value)

/** At another path, or by another method, it was not this operation that answered. An empty part makes another path, and so do dots. */
const isAnswerOf = ({ fault, operation, request }: Attack): boolean =>
  fault !== 'methods' &&
  fault !== 'paths' &&
  request.target
    .split('?')[0]
    .split('/')
    .slice(1)
    .every((part) => !/^(|\.|\.\.)$/.test(part)) &&
  request.method === operation.method

/** However it is written: percent-encoding and JSON's escapes leave letters alone, cases do not. */
const hasMarker = (text: string, marker: string): boolean => text.toLowerCase().includes(marker.toLowerCase())

type Json = { [key: string]: unknown }
const isObject = (value: unknown): value is Json => value !== null && typeof value === 'object' && !Array.isArray(value)

/**
 * A body without the places where something of the request may stand: the name of the field to mend, and the word of it that
 * begins a problem's detail; the ids of what was sent, in its own result; what a visitor said they like. All of it in JSON that
 * nothing takes for anything else.
 */
function withoutAllowed({ operation }: Attack, status: number, body: Buffer): string {
  const text = body.toString()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  if (!isObject(value)) return text
  if (status >= 400) return JSON.stringify(withoutField(value))
  switch (operation.id) {
    case 'sendEvents':
      return JSON.stringify({ ...value, results: listed(value.results).map(({ id: _, ...result }) => withoutField(result)) })
    case 'putItems':
    case 'removeItem':
      return JSON.stringify({ ...value, rejected: listed(value.rejected).map(({ id: _, ...result }) => withoutField(result)) })
    case 'rankItems':
      return JSON.stringify({ ...value, items: listed(value.items).map(({ id: _, ...item }) => item) })
    case 'setPreferences':
      return JSON.stringify({ ...value, preferences: null })
    default:
      return text
  }
}

const listed = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

function withoutField({ field, detail, ...rest }: Json): Json {
  const words = typeof detail === 'string' && typeof field === 'string' && detail.startsWith(field) ? detail.slice(field.length) : detail
  return { ...rest, detail: words }
}

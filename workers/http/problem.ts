import * as v from 'valibot'
import type { Problem } from '../../shared/schemas/problem.ts'

type Status = 400 | 401 | 403 | 404 | 405 | 413 | 429 | 500 | 503

const titles: Record<Status, string> = {
  400: 'Bad request',
  401: 'Proof of identity needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Body too large',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Temporarily unavailable',
}

/** Limits count by the minute. */
const LIMITED_SECONDS = 60
/** How long storage that is out of reach is given, at least. */
const RETRY_SECONDS = 10

/** Thrown where a request cannot be taken; the app turns it into problem+json. */
export class HttpProblem extends Error {
  readonly status: Status
  readonly field: string | undefined

  constructor(status: Status, detail: string, field?: string) {
    super(detail)
    this.status = status
    this.field = field
  }
}

/** @param headers what this answer has besides */
export function problemResponse({ status, message, field }: HttpProblem, headers: Record<string, string> = {}): Response {
  const problem: Problem = {
    type: 'about:blank',
    title: titles[status],
    status,
    detail: message,
    ...(field === undefined ? {} : { field }),
  }
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      // Whoever was turned away at the same moment must not come back at the same moment.
      ...(status === 503 && { 'retry-after': String(RETRY_SECONDS + Math.floor(RETRY_SECONDS * Math.random())) }),
      ...(status === 429 && { 'retry-after': String(LIMITED_SECONDS) }),
      ...headers,
    },
  })
}

/** What an error becomes for whoever asked. @param path as the route has it: nothing of what was asked for is logged */
export function failureResponse(error: unknown, path: string): Response {
  if (error instanceof HttpProblem) return problemResponse(error)
  console.error(JSON.stringify({ event: 'unexpected', path, error: error instanceof Error ? error.message : String(error) }))
  return problemResponse(new HttpProblem(500, 'something unexpected happened; it has been logged'))
}

/** The value as the schema describes it. @throws HttpProblem 400 naming the field, such as `events[3].item` */
export function validate<S extends v.GenericSchema>(schema: S, value: unknown, prefix = ''): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  const { field, detail } = firstIssue(parsed.issues[0], prefix)
  throw new HttpProblem(400, detail, field === '' ? undefined : field)
}

/** The path and the words of what is wrong. */
export function firstIssue(issue: v.BaseIssue<unknown>, prefix = ''): { field: string; detail: string } {
  const path = (issue.path ?? []).reduce(
    (text, part) => (typeof part.key === 'number' ? `${text}[${part.key}]` : `${text}${text === '' ? '' : '.'}${String(part.key)}`),
    prefix,
  )
  return { field: path, detail: `${path === '' ? 'the body' : path} ${words(issue)}` }
}

function words(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a known parameter'
  if (issue.received === 'undefined') return 'is missing'
  return issue.message.startsWith('Invalid') ? `must be ${issue.expected ?? 'something else'}` : issue.message
}

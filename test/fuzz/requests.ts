import fc from 'fast-check'
import { withBrokenJson, withContentTypes, withTokens } from './body-faults.ts'
import { withFraming, withHeaders, withMethods, withPaths } from './head-faults.ts'
import type { Known } from './known.ts'
import type { Api, Operation } from './operations.ts'
import { plainRequest } from './plain-requests.ts'
import type { Request } from './wire.ts'

/** What is wrong with a request, where anything is. */
export const faults = ['values', 'tokens', 'json', 'content-types', 'methods', 'paths', 'headers', 'framing'] as const
export type RequestFault = (typeof faults)[number]

/** A request to an operation of the API, and what is wrong with it. */
export type Attack = { fault: RequestFault; operation: Operation; request: Request }

type Arbitrary<T> = fc.Arbitrary<T>

const WEIGHTS: Record<RequestFault, number> = {
  values: 40,
  tokens: 15,
  json: 12,
  'content-types': 5,
  methods: 5,
  paths: 9,
  headers: 8,
  framing: 6,
}

/** Requests to every operation of the API, each with one kind of fault. */
export function attacks(api: Api, known: Known, only?: ReadonlySet<string>): Arbitrary<Attack> {
  const each = api.operations.filter(({ id }) => only?.has(id) ?? true).map((operation) => attacksOn(operation, api, known))
  return fc.oneof(...each)
}

function attacksOn(operation: Operation, api: Api, known: Known): Arbitrary<Attack> {
  const plain = plainRequest(operation, api, known)
  const by: Record<RequestFault, Arbitrary<Request>> = {
    values: plain,
    tokens: withTokens(plain, known),
    json: withBrokenJson(plain),
    'content-types': withContentTypes(plain),
    methods: withMethods(plain),
    paths: withPaths(plain, operation, api),
    headers: withHeaders(plain),
    framing: withFraming(plain),
  }
  return fc.oneof(
    ...faults.map((fault) => ({
      weight: WEIGHTS[fault],
      arbitrary: by[fault].map((request): Attack => ({ fault, operation, request })),
    })),
  )
}

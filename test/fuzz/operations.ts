import { readFileSync } from 'node:fs'
import { OPENAPI_FILE } from '../../scripts/openapi.ts'
import type { Schema } from './json-text.ts'

type Parameter = { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Schema }
/** A documented answer; what stands in components is referred to. */
export type Responded = { headers?: Record<string, { $ref: string }>; content?: Record<string, { schema: Schema }> }
type Described = {
  operationId: string
  parameters?: Parameter[]
  security?: Record<string, unknown>[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, Responded>
}

/** One thing that can be asked of the API, as its description has it. */
export type Operation = {
  id: string
  method: string
  path: string
  parameters: Parameter[]
  body: Schema | null
  proofs: ReadonlySet<string>
  responses: Record<string, Responded>
}

/** A header of an answer. */
export type Header = { required?: boolean; schema: Schema }
export type Api = { operations: Operation[]; schemas: Record<string, Schema>; headers: Record<string, Header>; paths: string[] }

/** The API as docs/openapi.json describes it. */
export function readApi(): Api {
  const { paths, components }: { paths: Record<string, Record<string, Described>>; components: Pick<Api, 'schemas' | 'headers'> } =
    JSON.parse(readFileSync(OPENAPI_FILE, 'utf8'))
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { operationId, parameters, security, requestBody, responses }]): Operation => ({
        id: operationId,
        method: method.toUpperCase(),
        path,
        parameters: parameters ?? [],
        body: requestBody?.content['application/json']?.schema ?? null,
        proofs: new Set((security ?? []).flatMap((one) => Object.keys(one))),
        responses,
      }),
    ),
  )
  return { operations, schemas: components.schemas, headers: components.headers, paths: Object.keys(paths) }
}

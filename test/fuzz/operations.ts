import { readFileSync } from 'node:fs'
import { OPENAPI_FILE } from '../../scripts/openapi.ts'
import type { Schema } from './json-text.ts'

type Parameter = { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Schema }
type Described = {
  operationId: string
  parameters?: Parameter[]
  security?: Record<string, unknown>[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, unknown>
}

/** One thing that can be asked of the API, as its description has it. */
export type Operation = {
  id: string
  method: string
  path: string
  parameters: Parameter[]
  body: Schema | null
  proofs: ReadonlySet<string>
  statuses: string[]
}

export type Api = { operations: Operation[]; schemas: Record<string, Schema>; paths: string[] }

/** The API as docs/openapi.json describes it. */
export function readApi(): Api {
  const { paths, components }: { paths: Record<string, Record<string, Described>>; components: { schemas: Record<string, Schema> } } =
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
        statuses: Object.keys(responses),
      }),
    ),
  )
  return { operations, schemas: components.schemas, paths: Object.keys(paths) }
}

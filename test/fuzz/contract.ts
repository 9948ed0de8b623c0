import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Answer } from './answer-reader.ts'
import type { Schema } from './json-text.ts'
import type { Api, Operation, Responded } from './operations.ts'

/** Headers that are the business of HTTP, of CORS, or of 405, and not of an operation. */
const OF_HTTP = new Set([
  'access-control-allow-origin',
  'access-control-expose-headers',
  'allow',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'transfer-encoding',
  'vary',
])

/** Holds answers, and the bodies of requests, to docs/openapi.json, by JSON Schema 2020-12 as OpenAPI 3.1 has it. */
export class Contract {
  private readonly ajv = formats.default(new Ajv2020({ strict: true, allErrors: false, allowUnionTypes: true }))
  private readonly api: Api
  private readonly compiled = new Map<Schema, ValidateFunction>()

  constructor(api: Api) {
    this.api = api
    // Answers may say nothing that the document does not: what is read here must be what is written there.
    this.ajv.addSchema({ $id: 'answers', $defs: rooted(closed(api.schemas), 'answers') })
    this.ajv.addSchema({ $id: 'requests', $defs: rooted(api.schemas, 'requests') })
  }

  /** What is wrong with an answer to this operation; null where it is documented, word for word. */
  faultOf(operation: Operation, { status, headers, body }: Answer): string | null {
    const documented = operation.responses[status]
    if (documented === undefined) return `${operation.id} answered ${status}, which the document does not have`
    return this.headerFault(documented, headers) ?? this.bodyFault(documented, headers.get('content-type'), body)
  }

  /** What is wrong with a body to be sent; null where the document allows it. */
  requestFault({ body }: Operation, value: unknown): string | null {
    if (body === null) return value === undefined ? null : 'a body, where the document has none'
    return this.fault(body, 'requests', value)
  }

  private headerFault({ headers: documented = {} }: Responded, sent: ReadonlyMap<string, string>): string | null {
    for (const [name, { $ref }] of Object.entries(documented)) {
      const { required, schema } = this.api.headers[$ref.slice($ref.lastIndexOf('/') + 1)]
      const value = sent.get(name)
      if (value === undefined && required === true) return `no header ${name}`
      const fault = value === undefined ? null : this.fault(schema, 'answers', value)
      if (fault !== null) return `header ${name} "${value}": ${fault}`
    }
    for (const name of sent.keys())
      if (!OF_HTTP.has(name) && !(name in documented)) return `a header ${name}, which the document does not have`
    return null
  }

  private bodyFault({ content }: Responded, type: string | undefined, body: Buffer): string | null {
    if (content === undefined) return body.length === 0 ? null : 'a body, where the document has none'
    const documented = content[type ?? '']
    if (documented === undefined) return `content type ${type}, where the document has ${Object.keys(content).join(', ')}`
    try {
      return this.fault(documented.schema, 'answers', JSON.parse(body.toString()))
    } catch (error) {
      return String(error)
    }
  }

  private fault(schema: Schema, kind: 'answers' | 'requests', value: unknown): string | null {
    const validate = this.compiled.get(schema) ?? this.ajv.compile(rooted(kind === 'answers' ? closed(schema) : schema, kind) as Schema)
    this.compiled.set(schema, validate)
    if (validate(value)) return null
    return this.ajv.errorsText(validate.errors, { dataVar: 'answer' })
  }
}

const made = new WeakMap<Api, Contract>()

/** Made once: compiling the document's schemas takes longer than many answers. */
export function contractOf(api: Api): Contract {
  const contract = made.get(api) ?? new Contract(api)
  made.set(api, contract)
  return contract
}

/** The document's references, as seen from where its schemas are kept. */
const rooted = (value: unknown, kind: string): unknown =>
  mapped(value, (schema) =>
    typeof schema.$ref === 'string' ? { ...schema, $ref: schema.$ref.replace('#/components/schemas/', `${kind}#/$defs/`) } : schema,
  )

/** Objects that name their properties have no others. */
const closed = (value: unknown): unknown =>
  mapped(value, (schema) =>
    schema.properties !== undefined && schema.additionalProperties === undefined ? { ...schema, additionalProperties: false } : schema,
  )

/** Every object within a schema, the inner ones first. */
function mapped(value: unknown, change: (schema: Schema) => Schema): unknown {
  if (Array.isArray(value)) return value.map((entry) => mapped(entry, change))
  if (value === null || typeof value !== 'object') return value
  return change(Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapped(inner, change)])))
}

import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openApi } from '../../scripts/openapi.ts'
import type { Answer } from '../fuzz/answer-reader.ts'
import { Contract } from '../fuzz/contract.ts'
import { type Case, casesOf } from '../fuzz/contract-cases.ts'
import { type FuzzEdge, type FuzzEdges, openEdges, publishMadeUp } from '../fuzz/edge.ts'
import { learn } from '../fuzz/known.ts'
import { type Api, type Operation, readApi } from '../fuzz/operations.ts'
import { Wire } from '../fuzz/wire.ts'

const api: Api = readApi()
const contract = new Contract(api)

let edges: FuzzEdges
let edge: FuzzEdge
let cases: Record<string, Record<number, Case>>
let wires: Record<'working' | 'failing', Wire>
beforeAll(async () => {
  edges = await openEdges()
  edge = await edges.start('direct')
  const failing = await edges.start('failing')
  await publishMadeUp(edge)
  cases = casesOf(await learn(edge.url))
  wires = { working: new Wire(edge.url), failing: new Wire(failing.url) }
})
afterAll(async () => {
  for (const wire of Object.values(wires ?? {})) wire.close()
  await edges?.close()
})

async function ask({ method }: Operation, { on, target, headers = [], body, text, times = 1 }: Case): Promise<Answer> {
  const bytes = text ?? (body === undefined ? undefined : JSON.stringify(body))
  const request = {
    method,
    target,
    version: 'HTTP/1.1',
    headers,
    body: bytes === undefined ? null : Buffer.from(bytes),
    framing: { kind: 'length' as const },
  }
  for (let sent = 1; sent < times; sent++) await wires.working.send(request)
  const { answers } = await wires[on ?? 'working'].send(request)
  if (answers[0] === undefined) throw new Error(`${method} ${target} was not answered`)
  return answers[0]
}

/** The tag that an answer has now, where a case asks for it. */
async function tagged(operation: Operation, one: Case): Promise<Case> {
  if (!one.headers?.some(([, value]) => value === '*etag*')) return one
  const { headers } = await ask(operation, { target: one.target })
  return { ...one, headers: one.headers.map(([name, value]) => [name, value.replace('*etag*', headers.get('etag') ?? '')]) }
}

describe('docs/openapi.json', () => {
  it('is a document of OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(openApi())))
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined })
  })

  it('has every route of the Worker, and no other', async () => {
    const routes = (await (await fetch((await edges.start('routes')).url)).json()) as string[]
    expect(routes.length).toBeGreaterThan(15)
    expect([...new Set(routes)].sort()).toEqual(api.operations.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('has a request here for every status of every operation', () => {
    const has = Object.fromEntries(Object.entries(cases).map(([id, byStatus]) => [id, Object.keys(byStatus).sort()]))
    expect(has).toEqual(Object.fromEntries(api.operations.map(({ id, responses }) => [id, Object.keys(responses).sort()])))
  })
})

describe('the running Worker answers as the document says', () => {
  it.each(
    api.operations.flatMap((operation) => Object.keys(operation.responses).map((status) => ({ operation, id: operation.id, status }))),
  )('$id: $status', async ({ operation, id, status }) => {
    const one = await tagged(operation, cases[id][Number(status)])
    const answer = await ask(operation, one)
    expect([answer.status, answer.body.toString()]).toEqual([Number(status), expect.anything()])
    expect(contract.faultOf(operation, answer)).toBe(null)
    // What is taken is what the document allows.
    if (answer.status < 300) expect(contract.requestFault(operation, one.body)).toBe(null)
  })
})

describe('an answer that the document does not have is found out', () => {
  const operation = api.operations.find(({ id }) => id === 'rankItems') as Operation
  const good = (): Promise<Answer> => ask(operation, cases.rankItems[200])
  const changed = async (change: (answer: Answer) => Partial<Answer>): Promise<string | null> => {
    const answer = await good()
    return contract.faultOf(operation, { ...answer, ...change(answer) })
  }
  const withJson = ({ body }: Answer, change: (value: Record<string, unknown>) => object): Buffer =>
    Buffer.from(JSON.stringify(change(JSON.parse(body.toString()))))

  it.each<[string, (answer: Answer) => Partial<Answer>, RegExp]>([
    ['another status', () => ({ status: 418 }), /418/],
    ['a field too many', (answer) => ({ body: withJson(answer, (value) => ({ ...value, visitor: 'v1.' })) }), /additional properties/],
    ['a field too few', (answer) => ({ body: withJson(answer, ({ region: _, ...value }) => value) }), /region/],
    ['a field of another type', (answer) => ({ body: withJson(answer, (value) => ({ ...value, cohort: 'one' })) }), /cohort/],
    ['no JSON', () => ({ body: Buffer.from('<p>') }), /JSON/],
    ['another content type', (answer) => ({ headers: new Map([...answer.headers, ['content-type', 'text/html']]) }), /text\/html/],
    [
      'a header too few',
      (answer) => ({ headers: new Map([...answer.headers].filter(([name]) => name !== 'cache-control')) }),
      /cache-control/,
    ],
    ['a header too many', (answer) => ({ headers: new Map([...answer.headers, ['x-visitor', '1']]) }), /x-visitor/],
    [
      'a header that says something else',
      (answer) => ({ headers: new Map([...answer.headers, ['cache-control', 'public']]) }),
      /cache-control/,
    ],
  ])('%s', async (_, change, told) => {
    expect(await changed(() => ({}))).toBe(null)
    expect(await changed(change)).toMatch(told)
  })

  it('a body that the document does not allow', () => {
    expect(contract.requestFault(operation, { items: ['a'] })).toBe(null)
    expect(contract.requestFault(operation, { items: [] })).not.toBe(null)
    expect(contract.requestFault(operation, { items: ['a'], nonsense: 1 })).not.toBe(null)
  })
})

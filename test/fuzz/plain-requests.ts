import fc from 'fast-check'
import { hostileText, MARKER } from './hostile.ts'
import { type GoodTexts, jsonText, type Schema } from './json-text.ts'
import { type Known, WRITE_KEY } from './known.ts'
import type { Api, Operation } from './operations.ts'
import type { Request } from './wire.ts'

type Arbitrary<T> = fc.Arbitrary<T>

/** What gets past the checks of a field, so that what lies behind them is met as well. */
const goodTexts =
  (known: Known): GoodTexts =>
  (name) => {
    switch (name) {
      case 'writeKey':
        return [WRITE_KEY]
      case 'visitor':
      case 'visitors':
        return [...known.visitors, ...known.identities, 'user:anna']
      case 'from':
        return [...known.visitors, '2026-11-01T00:00:00Z']
      case 'into':
        return known.identities
      case 'token':
        return known.memories
      case 'item':
      case 'items':
      case 'exclude':
      case 'unavailable':
      case 'hidden':
      case 'remove':
        return [...known.items.slice(0, 40), `${MARKER}-item`]
      case 'id':
        return [`event-${MARKER}`, '01JD9Q7Z7YB3ABCDEF', ...known.items.slice(0, 5)]
      case 'category':
      case 'categories':
        return known.categories.length > 0 ? known.categories : ['Garden']
      case 'region':
        return ['GB', 'FR', '@EU', '*', 'XX']
      case 'until':
        return ['2027-01-01T00:00:00Z']
      case 'name':
        return ['view_item', 'purchase', 'add_to_cart', 'view_item_list', 'Product Clicked']
      case 'event':
        return ['Product Viewed', 'Order Completed', 'Product List Viewed', 'view_item']
      default:
        return []
    }
  }

/** A request as the operation wants it, but for values that it may not want. */
export function plainRequest(operation: Operation, api: Api, known: Known): Arbitrary<Request> {
  const good = goodTexts(known)
  const textFor = ({ name, schema }: { name: string; schema: Schema }): Arbitrary<string> =>
    jsonText(schema, api.schemas, () => good(name.replace('filter.', ''))).map(plainText)
  const inPath = operation.parameters.filter((parameter) => parameter.in === 'path')
  const inQuery = operation.parameters.filter((parameter) => parameter.in === 'query')
  const path = fc
    .tuple(...inPath.map((parameter) => oftener(4, fc.constantFrom(...inPathTexts(parameter.name, known)), textFor(parameter))))
    .map((values) => inPath.reduce((text, { name }, i) => text.replace(`{${name}}`, encoded(values[i])), operation.path))
  const query = fc
    .tuple(
      ...inQuery.map((parameter) =>
        oftener(
          8,
          fc.constant(''),
          textFor(parameter).map((value) => `${parameter.name}=${encoded(value)}`),
        ),
      ),
      oftener(
        40,
        fc.constant(''),
        fc.tuple(hostileText, hostileText).map(([name, value]) => `${encoded(name)}=${encoded(value)}`),
      ),
    )
    .map((pairs) => pairs.filter((pair) => pair !== '').join('&'))
  const body = operation.body === null ? fc.constant(null) : jsonText(operation.body, api.schemas, good)
  return fc.tuple(path, query, body, proof(operation, known)).map(([target, search, text, authorization]) => ({
    method: operation.method,
    target: search === '' ? target : `${target}?${search}`,
    version: 'HTTP/1.1',
    headers: [
      ...(text === null ? [] : ([['content-type', 'application/json']] as Request['headers'])),
      ...(authorization === null ? [] : ([['authorization', `Bearer ${authorization}`]] as Request['headers'])),
    ],
    body: text === null ? null : Buffer.from(text),
    framing: { kind: 'length' },
  }))
}

const inPathTexts = (name: string, known: Known): string[] =>
  name === 'id' ? known.items : name === 'region' ? ['GB', '*', '@EU', 'XX'] : ['popular', 'trending', 'home']

/** Mostly a good one, where one is asked for. */
function proof({ proofs }: Operation, known: Known): Arbitrary<string | null> {
  if (proofs.size === 0) return oftener(10, fc.constant(null), fc.constantFrom(...known.admins))
  const good = [...(proofs.has('visitor') ? [...known.visitors, ...known.identities] : []), ...known.admins]
  return oftener(6, fc.constantFrom(...good), fc.constantFrom(null, ...known.worthless))
}

export const oftener = <T>(times: number, usual: Arbitrary<T>, rare: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: rare })

/** A JSON text as it stands in a query: a text without its quotes. */
function plainText(json: string): string {
  if (!json.startsWith('"')) return json
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}

export const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())

import fc from 'fast-check'
import { hostileJson, hostileText } from './hostile.ts'

export type Schema = { [keyword: string]: unknown }

/** Texts that get past a check for what they are, by the name of the field that holds them. */
export type GoodTexts = (name: string) => readonly string[]

type Building = { schemas: Record<string, Schema>; good: GoodTexts; name: string; depth: number }

/** Fields without which little of the rest is looked at. */
const OPENING = new Set(['writeKey', 'visitor', 'consent'])

/** So often is a value another than the schema asks for: often enough to be met, seldom enough that the rest gets through. */
const SPOILT = 0.04

/**
 * JSON text as a schema wants it, with now and then a value, a key, or a repeated key that it does not want.
 * @param schemas what its references name
 */
export function jsonText(schema: Schema, schemas: Record<string, Schema>, good: GoodTexts): fc.Arbitrary<string> {
  return text(schema, { schemas, good, name: '', depth: 0 })
}

function text(schema: Schema, building: Building): fc.Arbitrary<string> {
  return sometimes(SPOILT, hostileJson, asAsked(schema, building))
}

const sometimes = <T>(share: number, rare: fc.Arbitrary<T>, usual: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: Math.round(100 * (1 - share)), arbitrary: usual }, { weight: Math.round(100 * share), arbitrary: rare })

function asAsked(schema: Schema, building: Building): fc.Arbitrary<string> {
  const { $ref, anyOf, oneOf, const: only, enum: options, type } = schema
  if (typeof $ref === 'string') {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    const named = building.schemas[name]
    if (named === undefined) throw new Error(`the document has no schema ${name}`)
    return asAsked(named, building)
  }
  const either = anyOf ?? oneOf
  if (Array.isArray(either)) return fc.oneof(...either.map((one: Schema) => asAsked(one, building)))
  if (only !== undefined) return fc.constant(JSON.stringify(only))
  if (Array.isArray(options)) return fc.constantFrom(...options.map((option) => JSON.stringify(option)))
  if (type === 'object') return objectText(schema, building)
  if (type === 'array') return arrayText(schema, building)
  if (type === 'string') return stringText(building).map((value) => JSON.stringify(value))
  if (type === 'integer' || type === 'number') return numberText(schema)
  if (type === 'boolean') return fc.constantFrom('true', 'false')
  if (type === 'null') return fc.constant('null')
  return hostileJson
}

function stringText({ good, name }: Building): fc.Arbitrary<string> {
  const known = good(name)
  if (known.length === 0) return sometimes(0.2, hostileText, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }))
  return sometimes(0.15, hostileText, fc.constantFrom(...known))
}

function numberText({ minimum, maximum }: Schema): fc.Arbitrary<string> {
  const min = typeof minimum === 'number' ? minimum : 0
  const max = typeof maximum === 'number' ? maximum : 1_000_000
  return fc.integer({ min, max: Math.max(min, Math.min(max, 2 ** 31)) }).map(String)
}

function arrayText(schema: Schema, building: Building): fc.Arbitrary<string> {
  const { items, minItems, maxItems } = schema
  const least = typeof minItems === 'number' ? minItems : 0
  const most = typeof maxItems === 'number' ? maxItems : 100
  const one = text((items as Schema | undefined) ?? {}, deeper(building, building.name))
  const few = fc.array(one, { minLength: least, maxLength: Math.min(most, Math.max(least, 4)) })
  const tooMany = fc.tuple(one, fc.constantFrom(0, most, most + 1)).map(([entry, count]) => Array.from({ length: count }, () => entry))
  return sometimes(0.03, tooMany, few).map((entries) => `[${entries.join(',')}]`)
}

function objectText(schema: Schema, building: Building): fc.Arbitrary<string> {
  const { properties, required } = schema
  const needed = new Set(Array.isArray(required) ? required : [])
  const pairs = Object.entries((properties ?? {}) as Record<string, Schema>).map(([name, of]) => {
    const pair = text(of, deeper(building, name)).map((value) => `${JSON.stringify(name)}:${value}`)
    return needed.has(name) ? sometimes(0.02, fc.constant(''), pair) : sometimes(OPENING.has(name) ? 0.1 : 0.6, fc.constant(''), pair)
  })
  const unasked = fc.tuple(hostileText, hostileJson).map(([name, value]) => `${JSON.stringify(name)}:${value}`)
  const extra = sometimes(0.03, unasked, fc.constant(''))
  const again = sometimes(0.03, fc.constant(true), fc.constant(false))
  return fc.tuple(fc.tuple(...pairs), extra, again).map(([entries, more, twice]) => {
    const all = [...entries, more].filter((pair) => pair !== '')
    return `{${(twice ? [...all, ...all] : all).join(',')}}`
  })
}

function deeper(building: Building, name: string): Building {
  const depth = building.depth + 1
  if (depth > 20) throw new Error(`the document's schemas go round in a circle at ${name}`)
  return { ...building, name, depth }
}

import * as v from 'valibot'
import { RecommendationQuery, type RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import { HttpProblem, validate } from '../http/problem.ts'

const LISTS = new Set(['items', 'exclude'])
const NUMBERS = new Set(['limit', 'offset'])
const SWITCHES = new Set(['explain', 'excludePurchased'])
const FILTER_NUMBERS = new Set(['minPrice', 'maxPrice'])

/**
 * Query parameters as the request they stand for: lists by repeating the parameter, filters as `filter.category=…`,
 * `filter.minPrice=…`, `filter.maxPrice=…`, `filter.available=…`. @throws HttpProblem 400 naming the parameter
 */
export function parseQuery(query: URLSearchParams): RecommendationRequest {
  // Without a prototype, which a parameter of that name would set in place of being refused.
  const raw: Record<string, unknown> = Object.create(null)
  const filter: Record<string, unknown> = Object.create(null)
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name)
    if (LISTS.has(name)) raw[name] = values
    else if (name === 'filter.category') filter.category = values
    else if (values.length > 1) throw new HttpProblem(400, `${name} is given ${values.length} times`, name)
    else if (NUMBERS.has(name)) raw[name] = number(name, values[0])
    else if (SWITCHES.has(name)) raw[name] = yesOrNo(name, values[0])
    else if (name.startsWith('filter.')) filter[name.slice('filter.'.length)] = filterValue(name, values[0])
    else raw[name] = values[0]
  }
  return validate(RecommendationQuery, Object.keys(filter).length > 0 ? { ...raw, filter } : raw)
}

/** For paths that take no parameters: one that is there was meant to do something. @throws HttpProblem 400 naming it */
export function refuseQuery(query: URLSearchParams): void {
  for (const name of query.keys()) throw new HttpProblem(400, `${name} is not a known parameter`, name)
}

function filterValue(name: string, text: string): unknown {
  const field = name.slice('filter.'.length)
  if (FILTER_NUMBERS.has(field)) return number(name, text)
  return field === 'available' ? yesOrNo(name, text) : text
}

function number(name: string, text: string): number {
  const value = v.safeParse(v.pipe(v.string(), v.regex(/^-?\d+(\.\d+)?$/), v.transform(Number)), text)
  if (!value.success) throw new HttpProblem(400, `${name} must be a number`, name)
  return value.output
}

function yesOrNo(name: string, text: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new HttpProblem(400, `${name} must be true or false`, name)
}

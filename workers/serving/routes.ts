import { type Context, Hono } from 'hono'
import * as v from 'valibot'
import { ItemId, Region } from '../../shared/schemas/ids.ts'
import { RecommendationBody, type RecommendationRequest } from '../../shared/schemas/recommendations.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { HttpProblem, validate } from '../http/problem.ts'
import { parseQuery } from './parse-query.ts'
import { listScenarios, publicList } from './public-list.ts'
import { recommend } from './recommend.ts'

type Serving = Context<{ Bindings: Env }>

export const servingRoutes = new Hono<{ Bindings: Env }>()

servingRoutes.post('/v1/recommendations', async (c) => {
  const asked = validate(RecommendationBody, await jsonBody(c))
  await requireWriteKey(c, asked.writeKey)
  return personal(c, asked)
})

servingRoutes.get('/v1/recommendations', (c) => personal(c, parseQuery(new URL(c.req.url).searchParams)))

servingRoutes.get('/v1/items/:id/similar', (c) => {
  const query = new URL(c.req.url).searchParams
  for (const taken of ['scenario', 'item', 'items'])
    if (query.has(taken)) throw new HttpProblem(400, `${taken} is given by the path`, taken)
  return personal(c, { ...parseQuery(query), scenario: 'similar', item: validate(ItemId, c.req.param('id'), 'id') })
})

servingRoutes.get('/v1/lists/:region/:scenario', async (c) => {
  const region = validate(Region, c.req.param('region'), 'region')
  const scenario = validate(v.picklist(listScenarios, `must be one of ${listScenarios.join(', ')}`), c.req.param('scenario'), 'scenario')
  const { text, etag } = await publicList(c.env, c.executionCtx, c.req.raw, region, scenario)
  const headers = { 'cache-control': 'public, max-age=60, stale-while-revalidate=600', etag }
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, headers)
  return c.body(text, 200, { ...headers, 'content-type': 'application/json' })
})

async function personal(c: Serving, asked: RecommendationRequest): Promise<Response> {
  const start = performance.now()
  const text = await recommend(c.env, c.executionCtx, c.req.raw, asked)
  return c.body(text, 200, {
    'content-type': 'application/json',
    'cache-control': 'private, no-store',
    // The platform stops its clock while code runs: this is what was waited for, not what was computed.
    'server-timing': `wait;dur=${(performance.now() - start).toFixed(1)}`,
  })
}

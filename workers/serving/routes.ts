import { type Context, Hono } from 'hono'
import { getPath } from 'hono/utils/url'
import * as v from 'valibot'
import { ItemId, Region } from '../../shared/schemas/ids.ts'
import {
  listScenarios,
  MeasuredBody,
  RankBody,
  RecommendationBody,
  type RecommendationRequest,
} from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { isBench } from '../bench.ts'
import { requireWriteKey } from '../http/access.ts'
import { jsonBody } from '../http/body.ts'
import { API_HEADERS, addHeaders, readyHeaders } from '../http/every-answer.ts'
import { failureResponse, HttpProblem, validate } from '../http/problem.ts'
import { queryOf } from '../http/query.ts'
import { latestList } from './latest.ts'
import { parseQuery, refuseQuery } from './parse-query.ts'
import { type PublicList, publicList } from './public-list.ts'
import { rankItems } from './rank-items.ts'
import { recommend } from './recommend.ts'

type Serving = Context<{ Bindings: Env }>

export const servingRoutes = new Hono<{ Bindings: Env }>()

const RECOMMENDATIONS = '/v1/recommendations'

/** Whether a request may go past the router, which costs one that is asked for everywhere a thirtieth of its CPU. */
export const isRecommendationPost = (request: Request): boolean => request.method === 'POST' && getPath(request) === RECOMMENDATIONS

const personalHeaders = readyHeaders({ 'content-type': 'application/json', 'cache-control': 'private, no-store' })

const personalAnswer = (env: Env, request: Request, text: string, waitMs?: number): Response =>
  new Response(text, { headers: personalHeaders(env, request, waitMs) })

/** The answer to such a request, or the problem with it, with all its headers. Never throws. */
export async function recommendations(env: Env, ctx: Background, request: Request): Promise<Response> {
  const start = performance.now()
  try {
    const asked: RecommendationRequest = validate(isBench(env) ? MeasuredBody : RecommendationBody, await jsonBody(request))
    await requireWriteKey(env, request, asked.writeKey)
    const text = await recommend(env, ctx, request, asked)
    return personalAnswer(env, request, text, performance.now() - start)
  } catch (error) {
    const response = failureResponse(error, RECOMMENDATIONS)
    addHeaders(env, request, response, performance.now() - start)
    return response
  }
}

servingRoutes.post(RECOMMENDATIONS, (c) => recommendations(c.env, c.executionCtx, c.req.raw))

servingRoutes.post('/v1/rank', async (c) => {
  const asked = validate(RankBody, await jsonBody(c.req.raw))
  await requireWriteKey(c.env, c.req.raw, asked.writeKey)
  return personalAnswer(c.env, c.req.raw, JSON.stringify(await rankItems(c.env, c.executionCtx, c.req.raw, asked)))
})

servingRoutes.get(RECOMMENDATIONS, (c) => personal(c, parseQuery(queryOf(c))))

servingRoutes.get('/v1/items/:id/similar', (c) => {
  const query = queryOf(c)
  for (const taken of ['scenario', 'item', 'items'])
    if (query.has(taken)) throw new HttpProblem(400, `${taken} is given by the path`, taken)
  return personal(c, { ...parseQuery(query), scenario: 'similar', item: validate(ItemId, c.req.param('id'), 'id') })
})

const ListScenarioSchema = v.picklist(listScenarios, `must be one of ${listScenarios.join(', ')}`)
/** A list that is not the one meant to be shown should not stay long in caches. */
const CACHED = { meant: 'public, max-age=60, stale-while-revalidate=600', degraded: 'public, max-age=10' }

servingRoutes.get('/v1/lists/:region/:scenario', async (c) => {
  const region = validate(Region, c.req.param('region'), 'region')
  const scenario = validate(ListScenarioSchema, c.req.param('scenario'), 'scenario')
  refuseQuery(queryOf(c))
  return listed(c, await publicList(c.env, c.executionCtx, region, scenario))
})

servingRoutes.get('/v1/latest', async (c) => {
  const query = queryOf(c)
  for (const name of query.keys())
    if (name !== 'limit' && name !== 'offset' && !name.startsWith('filter.'))
      throw new HttpProblem(400, `${name} is not a known parameter`, name)
  const { limit, offset, filter } = parseQuery(query)
  return listed(c, await latestList(c.env, c.executionCtx, { limit, offset, filter }, Date.now()))
})

/** A public list, or that the caller has it already. */
function listed(c: Serving, { text, etag, degraded }: PublicList): Response {
  const headers = { 'cache-control': degraded ? CACHED.degraded : CACHED.meant, etag, ...API_HEADERS }
  if (tagsOf(c.req.header('if-none-match')).includes(etag)) return new Response(null, { status: 304, headers })
  return new Response(text, { headers: { ...headers, 'content-type': 'application/json' } })
}

/** Caches on the way may have weakened the tag. */
const tagsOf = (header: string | undefined): string[] => (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))

async function personal(c: Serving, asked: RecommendationRequest): Promise<Response> {
  return personalAnswer(c.env, c.req.raw, await recommend(c.env, c.executionCtx, c.req.raw, asked))
}

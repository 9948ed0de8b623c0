import { Hono } from 'hono'
import { adminRoutes } from './admin/routes.ts'
import { catalogueRoutes } from './catalogue/routes.ts'
import { eventRoutes } from './events/routes.ts'
import { healthRoutes } from './health.ts'
import { preflight } from './http/access.ts'
import { allowedMethods } from './http/allowed-methods.ts'
import { addHeaders } from './http/every-answer.ts'
import { failureResponse, HttpProblem, problemResponse } from './http/problem.ts'
import { isRecommendationPost, recommendations, servingRoutes } from './serving/routes.ts'
import { visitorRoutes } from './visitors/routes.ts'

export const app = new Hono<{ Bindings: Env }>()

app.options('/v1/*', preflight)
for (const routes of [servingRoutes, eventRoutes, visitorRoutes, catalogueRoutes, adminRoutes, healthRoutes]) app.route('/', routes)

// The router sorts its routes when it is first asked for one: here, where no request waits for it.
app.router.match('GET', '/')

app.notFound((c) => {
  const methods = allowedMethods(app, c.req.path)
  if (methods.length === 0)
    return problemResponse(new HttpProblem(404, 'there is nothing at this path; docs/http-api.md lists what there is'))
  const problem = new HttpProblem(405, `this path takes ${methods.join(' or ')}, not ${c.req.method}`)
  return problemResponse(problem, { allow: methods.join(', ') })
})

app.onError((error, c) => failureResponse(error, c.req.routePath))

/** Answers every request; never throws. */
export async function answer(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
  if (isRecommendationPost(request)) return recommendations(env, ctx, request)
  const start = performance.now()
  const response = await app.fetch(request, env, ctx)
  addHeaders(env, request, response, performance.now() - start)
  return response
}

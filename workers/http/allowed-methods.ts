import type { Hono } from 'hono'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE']

/** The methods that a path takes; none where there is no such path. Middleware, which takes every method, does not count. */
export function allowedMethods(app: Hono<{ Bindings: Env }>, path: string): string[] {
  return METHODS.filter((method) => app.router.match(method, path)[0].some(([[, route]]) => route.method === method))
}

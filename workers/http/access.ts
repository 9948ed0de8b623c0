import type { Context, MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { Scope } from '../../shared/admin-token.ts'
import { type Admin, isAdmin, onlyAdmin } from '../identity/admin.ts'
import { HttpProblem } from './problem.ts'

/** The origins of the sites that may call, as the deployment names them. */
export const originsOf = ({ ALLOWED_ORIGINS }: Pick<Env, 'ALLOWED_ORIGINS'>): string[] =>
  ALLOWED_ORIGINS.split(',').map((entry) => entry.trim())

/** Browsers of the sites in ALLOWED_ORIGINS may call; so may the Worker's own pages. */
export const isAllowed = (env: Env, { url }: Request, origin: string): boolean =>
  originsOf(env).includes(origin) || origin === URL.parse(url)?.origin

const crossOrigin: MiddlewareHandler<{ Bindings: Env }> = cors({
  origin: (origin, c: Context<{ Bindings: Env }>) => (isAllowed(c.env, c.req.raw, origin) ? origin : null),
  allowMethods: ['GET', 'POST', 'DELETE', 'PUT'],
  allowHeaders: ['authorization', 'content-type'],
  maxAge: 86_400,
})

/** Answers browsers that ask what they may do before they do it. */
export const preflight: MiddlewareHandler<{ Bindings: Env }> = (c, next) =>
  c.req.raw.headers.has('origin') ? crossOrigin(c, next) : next()

/**
 * A browser names the site by its public write key; a backend shows the admin key instead. Keeps other sites' traffic
 * out, protects no secret. @throws HttpProblem 403
 */
export async function requireWriteKey(env: Env, request: Request, writeKey: string | undefined, scope: Scope = 'events'): Promise<void> {
  if (writeKey === env.WRITE_KEY || (await isAdmin(env, request, scope))) return
  throw new HttpProblem(403, writeKey === undefined ? 'writeKey is missing' : 'writeKey is not this site’s', 'writeKey')
}

/** @throws HttpProblem 401 for who is no admin, 403 for one whose token does not allow it */
export async function requireAdmin(c: Context<{ Bindings: Env }>, scope: Scope): Promise<Admin> {
  const admin = await onlyAdmin(c.env, c.req.raw)
  if (admin === null) throw new HttpProblem(401, 'send "Authorization: Bearer" with the admin key or an admin token')
  if (!admin.scopes.has(scope)) throw new HttpProblem(403, `this admin token has no scope "${scope}"`)
  return admin
}

/** What an admin token may allow: posting events for others, visitors' own data, the catalogue, operations, the audit log. */
export const scopes = ['events', 'visitors', 'catalogue', 'operations', 'audit'] as const
export type Scope = (typeof scopes)[number]

/** The claims of an admin token, a JWT (HS256) signed with ADMIN_KEY; `sub` is the name that the audit log shows. */
export type AdminClaims = { sub: string; aud: string; scope: string; exp: number }

/** @param until when it ends, Unix seconds */
export const adminClaims = (site: string, name: string, allowed: readonly Scope[], until: number): AdminClaims => ({
  sub: name,
  aud: `nightjar-admin:${site}`,
  scope: allowed.join(' '),
  exp: until,
})

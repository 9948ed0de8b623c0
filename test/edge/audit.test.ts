import { reset, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AUDIT_START, type AuditEntry, type AuditHead, verifyChain } from '../../shared/audit.ts'
import { visitorHash } from '../../shared/pseudonym.ts'
import { auditLog, onRecord } from '../../workers/objects/audit-log-client.ts'
import { accepted, bearer, call, click, from, mint, post } from './events-client.ts'

const HOUR_MS = 3_600_000
const note = { action: 'admin', actor: 'admin:key', detail: {} } as const

// Before as well: another file may have left something that an alarm would write down.
beforeEach(() => reset())
afterEach(async () => {
  vi.useRealTimers()
  await reset()
})

/** The copy in R2, as the night and who checks it read it. */
async function copied(): Promise<AuditEntry[]> {
  await runDurableObjectAlarm(auditLog(env))
  const { objects } = await env.EVENTS.list({ prefix: 'audit/edge/' })
  const texts = await Promise.all(objects.map(async ({ key }) => (await env.EVENTS.get(key))?.text() ?? ''))
  return texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map((line) => JSON.parse(line) as AuditEntry)
}

describe('the audit log', () => {
  test('has a line for each erasure, export and deed of an admin, and names no visitor', async () => {
    const visitor = await mint()
    await accepted(from(visitor, [click('a')]))
    await call('/v1/visitors/me', bearer(visitor))
    await call(`/v1/visitors/me?visitor=${encodeURIComponent('user:anna')}`, bearer(env.ADMIN_KEY))
    await call('/v1/visitors/me', { method: 'DELETE', ...bearer(visitor) })
    await call('/v1/admin/overlay', { method: 'PUT', body: '{"hidden":["a"]}', ...bearer(env.ADMIN_KEY) })
    await post('/v1/admin/forget', { visitors: ['user:anna'] }, bearer(env.ADMIN_KEY))
    await call('/v1/admin/flush', { method: 'POST', ...bearer(env.ADMIN_KEY) })
    const lines = await copied()
    expect(lines.map(({ action, actor }) => `${action} ${actor}`)).toEqual([
      'export visitor',
      'export admin:key',
      'erasure visitor',
      'admin admin:key',
      'erasure admin:key',
      'admin admin:key',
    ])
    expect((await verifyChain(lines)).fault).toBeNull()
    const text = JSON.stringify(lines)
    for (const name of [visitor, await visitorHash(env.ID_KEY, visitor), 'anna', await visitorHash(env.ID_KEY, 'anna')])
      expect(text).not.toContain(name)
  })

  test('tells changes of consent as counts, an hour at a time', async () => {
    const start = Date.now()
    const visitors = await Promise.all([mint(), mint(), mint()])
    for (const [i, visitor] of visitors.entries())
      await post('/v1/visitors/me/consent', { consent: i === 0 ? 'granted' : { learning: 'denied' } }, bearer(visitor))
    expect(await copied()).toEqual([])
    vi.useFakeTimers({ toFake: ['Date'], now: start + HOUR_MS + 1000 })
    expect((await copied()).map(({ action, detail }) => [action, detail])).toEqual([
      ['consent', { 'personalisation granted, learning granted': 1, 'personalisation unknown, learning denied': 2 }],
    ])
    await runDurableObjectAlarm(auditLog(env))
    expect(await copied()).toHaveLength(1)
  })

  test('stays in order when many write at once, and a copy that was cut off is written over', async () => {
    const heads = await Promise.all(Array.from({ length: 20 }, (_, i) => onRecord(env, { ...note, detail: { i } }, i)))
    expect(heads.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
    expect(await copied()).toHaveLength(20)
    // The copy was made, and what says so was lost.
    await runInDurableObject(auditLog(env), (_, { storage }) => storage.sql.exec('UPDATE entries SET copied = 0 WHERE seq > 10').toArray())
    await env.EVENTS.delete('audit/edge/0000000001.ndjson')
    await runInDurableObject(auditLog(env), (_, { storage }) => storage.sql.exec('UPDATE entries SET copied = 0').toArray())
    await onRecord(env, note, 99)
    expect(await verifyChain(await copied())).toMatchObject({ head: { seq: 21 }, fault: null })
  })

  test('says where it ends to an admin, and to nobody else', async () => {
    expect((await call('/v1/admin/audit')).status).toBe(401)
    const ends = async (): Promise<{ head: AuditHead; copied: AuditHead }> => (await call('/v1/admin/audit', bearer(env.ADMIN_KEY))).json()
    expect(await ends()).toEqual({ head: AUDIT_START, copied: AUDIT_START })
    const head = await onRecord(env, note, 1)
    expect(await ends()).toEqual({ head, copied: AUDIT_START })
    await copied()
    expect(await ends()).toEqual({ head, copied: head })
  })
})

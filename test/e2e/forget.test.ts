import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgetDevServer, recordDevServer } from '../../batch/stores/dev-server.ts'
import { findTarget, openStores, type Stores } from '../../batch/stores/open-stores.ts'
import type { SignedReceipt } from '../../shared/receipt.ts'
import { startPublished, type TestEdge } from './server.ts'

const NIGHTJAR = join(import.meta.dirname, '../../batch/bin/nightjar.mjs')
const nightjar = async (...parameters: string[]): Promise<{ code: number | undefined; out: string; err: string }> => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [NIGHTJAR, ...parameters], { reject: false })
  return { code: exitCode, out: stdout, err: stderr }
}

let edge: TestEdge
let stores: Stores
beforeAll(async () => {
  edge = await startPublished()
  recordDevServer(edge.directory, edge)
  stores = await openStores(await findTarget({ remote: false, directory: edge.directory }))
})
afterAll(async () => {
  await stores?.close()
  if (edge !== undefined) forgetDevServer(edge.directory)
  await edge?.stop()
})

const post = async <T>(path: string, body: object): Promise<T> =>
  (await (await fetch(edge.url + path, { method: 'POST', body: JSON.stringify({ writeKey: 'pk_demo', ...body }) })).json()) as T

async function visitorWhoClicked(item: string): Promise<string> {
  const { visitor } = await post<{ visitor: string }>('/v1/visitors', { consent: 'granted' })
  await post('/v1/events', { visitor, consent: 'granted', events: [{ id: randomUUID(), type: 'click', item }] })
  return visitor
}

/** All that the archive of events holds. */
async function archived(): Promise<string> {
  const texts = await Promise.all(
    (await stores.blobs.list('events/')).map(async (key) => new TextDecoder().decode(await stores.blobs.get(key))),
  )
  return texts.join('')
}

describe('visitors who want to be forgotten', () => {
  it('are erased at the edge from a list, and by the next night from the archive; both are on record', async () => {
    const [leaving, staying] = [await visitorWhoClicked('nj-0001'), await visitorWhoClicked('nj-0002')]
    const list = join(edge.directory, 'leaving.txt')
    writeFileSync(list, `# customers who left\n${leaving}\n\nnobody\n`)
    const asked = await nightjar('forget', '--list', list, '--directory', edge.directory)
    expect(asked).toMatchObject({ code: 1, out: expect.stringContaining('1 visitor erased'), err: expect.stringContaining('line 4') })
    const receipts = `${list}.receipts.ndjson`
    const receipt = JSON.parse(readFileSync(receipts, 'utf8')) as SignedReceipt
    expect(await nightjar('forget', '--verify', receipts)).toMatchObject({ code: 0 })
    writeFileSync(`${receipts}.changed`, JSON.stringify({ ...receipt, remains: [] }))
    expect(await nightjar('forget', '--verify', `${receipts}.changed`)).toMatchObject({ code: 1, err: expect.stringContaining('line 1') })
    const held = await fetch(`${edge.url}/v1/visitors/me`, { headers: { authorization: `Bearer ${leaving}` } })
    expect(await held.json()).toMatchObject({ items: [], pseudonym: receipt.pseudonym })

    const settings = join(edge.directory, 'quick.json')
    writeFileSync(settings, JSON.stringify({ epochs: 0, trials: 1, decisions: 240 }))
    const night = await nightjar('nightly', '--source', 'shop', '--config', settings, '--directory', edge.directory, '--force')
    expect(night).toMatchObject({ code: 0, out: expect.stringContaining('1 events of 1 erased visitors') })
    const text = await archived()
    const clicks = text.split('\n').filter((line) => line.includes('"click"'))
    expect(clicks.map((line) => (JSON.parse(line) as { item: string }).item)).toEqual(['nj-0002'])
    expect(text.split(receipt.pseudonym).length - 1).toBe(text.split('"type":"erasure"').length * 2 - 2)
    expect((await fetch(`${edge.url}/v1/visitors/me`, { headers: { authorization: `Bearer ${staying}` } })).ok).toBe(true)

    const { night: lines } = JSON.parse((await nightjar('audit', '--json', '--directory', edge.directory)).out) as { night: object[] }
    expect(lines).toMatchObject([{ action: 'forgotten', detail: { visitors: 1, events: 1 } }])
  })

  it('leave an audit log that shows it when it was tampered with', async () => {
    const audit = (): ReturnType<typeof nightjar> => nightjar('audit', '--directory', edge.directory)
    expect(await audit()).toMatchObject({ code: 0, out: expect.stringContaining('Whole') })
    const [key] = await stores.blobs.list('audit/night/')
    const bytes = await stores.blobs.get(key ?? '')
    await stores.blobs.put(key ?? '', new TextEncoder().encode(new TextDecoder().decode(bytes).replace('"visitors":1', '"visitors":0')))
    expect(await audit()).toMatchObject({ code: 1, out: expect.stringContaining('night: line 1 has been changed') })
    await stores.blobs.put(key ?? '', bytes)
    expect((await audit()).code).toBe(0)
  })

  it.each([
    [['forget'], 'say whom: --list FILE'],
    [['forget', '--list', '/nowhere/list.txt'], 'no such file'],
    [['admin-token', '--name', 'x', '--scope', 'everything'], 'Allowed choices are'],
  ])('%j: bad use gets one line', async (parameters, line) => {
    expect(await nightjar(...parameters)).toMatchObject({ code: 2, err: expect.stringContaining(line) })
  })

  it('are not erased with a token that is for something else', async () => {
    const { out } = await nightjar('admin-token', '--name', 'counter', '--scope', 'audit')
    const list = join(edge.directory, 'others.txt')
    writeFileSync(list, 'user:anna\n')
    const answer = await execa(process.execPath, [NIGHTJAR, 'forget', '--list', list, '--directory', edge.directory], {
      reject: false,
      env: { ADMIN_KEY: out.trim() },
    })
    expect([answer.exitCode, answer.stderr]).toEqual([1, expect.stringContaining('no scope "visitors"')])
  })
})

import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, type Options } from 'execa'
import getPort from 'get-port'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forgetDevServer, recordDevServer } from '../../batch/stores/dev-server.ts'
import { stateOf } from '../../batch/stores/open-stores.ts'
import { type RunningEdge, startEdge } from '../../scripts/dev-server.ts'
import type { EventsAnswer } from '../../shared/schemas/events.ts'
import type { RecommendationAnswer } from '../../shared/schemas/recommendations.ts'
import { smallShop } from './server.ts'

const ROOT = join(import.meta.dirname, '../..')
const NIGHTJAR = join(ROOT, 'batch/bin/nightjar.mjs')
const KEY = 'pk_demo'

type Report = {
  release: string
  kvWrites: number
  peakMb: number
  changed: boolean
  published: boolean
  stages: { name: string; resumed?: boolean }[]
}

const nightjar = (parameters: string[], options: Options = {}) =>
  execa(process.execPath, [NIGHTJAR, ...parameters], { reject: false, ...options })

async function nightly(directory: string, ...parameters: string[]): Promise<Report> {
  const { stdout, stderr, exitCode } = await nightjar(['nightly', '--directory', directory, '--json', ...parameters])
  if (exitCode !== 0) throw new Error(`the night ended with ${exitCode}: ${String(stderr)}`)
  return JSON.parse(String(stdout)) as Report
}

async function edgeOn(directory: string): Promise<RunningEdge> {
  const edge = await startEdge({ port: await getPort(), state: stateOf(directory), variables: { CHANNEL_REFRESH_SECONDS: '1' } })
  recordDevServer(directory, edge)
  return edge
}

const placeHeader = (country: string): Record<string, string> => ({
  'mf-cf-blob': JSON.stringify({ country, continent: 'EU', clientAcceptEncoding: 'gzip' }),
})

async function post<T>(edge: RunningEdge, path: string, body: object, country = 'GB'): Promise<T> {
  const answer = await fetch(edge.url + path, {
    method: 'POST',
    headers: placeHeader(country),
    body: JSON.stringify({ writeKey: KEY, ...body }),
  })
  expect(answer.status).toBeLessThan(300)
  return (await answer.json()) as T
}

const get = async (edge: RunningEdge, path: string): Promise<RecommendationAnswer> =>
  (await (await fetch(edge.url + path)).json()) as RecommendationAnswer
const idsOf = (answer: RecommendationAnswer): string[] => answer.items.map(({ id }) => id)

async function visitorWho(edge: RunningEdge, clicks: readonly string[], country = 'GB'): Promise<{ visitor: string; token: string }> {
  const { visitor } = await post<{ visitor: string }>(edge, '/v1/visitors', { consent: 'granted' }, country)
  const events = clicks.map((item) => ({ id: randomUUID(), type: 'click', item }))
  const { token } = await post<EventsAnswer>(edge, '/v1/events', { visitor, consent: 'granted', events }, country)
  if (token === undefined) throw new Error('no memory token came back')
  return { visitor, token }
}

let directory: string

describe('Online Retail, from the file to the answer', () => {
  let edge: RunningEdge
  let report: Report
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'nightjar-retail-'))
    report = await nightly(directory, '--source', 'online-retail')
    edge = await edgeOn(directory)
  })
  afterAll(async () => {
    await edge?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('publishes within the bounds that the plan’s limits set', () => {
    expect(report.published).toBe(true)
    expect(report.kvWrites).toBeLessThanOrEqual(400)
    expect(report.peakMb).toBeLessThanOrEqual(1500)
  })

  it('gives two countries different lists, with titles and no postage', async () => {
    const [british, german] = [await get(edge, '/v1/lists/GB/popular'), await get(edge, '/v1/lists/DE/popular')]
    expect(idsOf(british)).not.toEqual(idsOf(german))
    for (const { id, values } of [...british.items, ...german.items]) {
      expect(values.title).toMatch(/\w/)
      expect(id).not.toBe('POST')
    }
  })

  it('ranks in a cold isolate by whichever scorer is up and then by ONNX, in the same order', async () => {
    const [item] = idsOf(await get(edge, '/v1/lists/GB/popular'))
    const first = await get(edge, `/v1/items/${item}/similar`)
    expect(['reference', 'onnx']).toContain(first.rung)
    await expect.poll(async () => (await get(edge, `/v1/items/${item}/similar`)).rung, { timeout: 10_000 }).toBe('onnx')
    expect(idsOf(await get(edge, `/v1/items/${item}/similar`))).toEqual(idsOf(first))
  })

  it('gives a visitor with three clicks another list than their region’s, with truthful reasons', async () => {
    const popular = idsOf(await get(edge, '/v1/lists/GB/popular'))
    const clicks = popular.slice(3, 6)
    const visit = await visitorWho(edge, clicks)
    const answer = await post<RecommendationAnswer>(edge, '/v1/recommendations', { ...visit, limit: 20 })
    expect(answer.cohort).not.toBeNull()
    expect(idsOf(answer)).not.toEqual(popular.slice(0, 20))
    const because = answer.items.flatMap(({ reasons }) => reasons.flatMap((reason) => ('item' in reason ? [reason.item] : [])))
    expect(because.length).toBeGreaterThan(0)
    for (const item of because) expect(clicks).toContain(item)
  })

  it('writes nothing on a second night over unchanged data, with the edge up', async () => {
    const again = await nightly(directory, '--source', 'online-retail')
    expect(again.release).toBe(report.release)
    expect(again.kvWrites).toBeLessThanOrEqual(5)
  })
})

describe('the loop', () => {
  let edge: RunningEdge | undefined
  let home: string
  let config: string
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'nightjar-loop-'))
    await smallShop(home)
    config = join(home, 'quick.json')
    writeFileSync(config, JSON.stringify({ decisions: 300, epochs: 1 }))
    await nightly(home, '--source', 'shop', '--config', config)
  })
  afterAll(async () => {
    await edge?.stop()
    forgetDevServer(home)
    rmSync(home, { recursive: true, force: true })
  })

  it('closes: what three visitors click together today are neighbours after the night', async () => {
    edge = await edgeOn(home)
    const before = await get(edge, '/v1/lists/*/popular')
    // Two items of different kinds from the end of the list, which nobody has in one basket.
    const [a, b] = ['nj-0897', 'nj-0121']
    expect(idsOf(await get(edge, `/v1/items/${a}/similar?limit=100`))).not.toContain(b)
    for (let visitor = 0; visitor < 3; visitor++) await visitorWho(edge, [a, b])
    const report = await nightly(home, '--source', 'shop', '--config', config)
    expect(report.changed).toBe(true)
    const running = edge
    await expect.poll(async () => (await get(running, '/v1/lists/*/popular')).release, { timeout: 60_000 }).toBe(report.release)
    expect(report.release).not.toBe(before.release)
    expect(idsOf(await get(running, `/v1/items/${a}/similar?limit=100`))).toContain(b)
  })

  it('leaves the served release alone when a night is killed, at any stage, and then gets through', async () => {
    if (edge === undefined) throw new Error('the edge is not up')
    const { release: live } = await get(edge, '/v1/lists/*/popular')
    const changed = join(home, 'changed.json')
    writeFileSync(changed, JSON.stringify({ decisions: 300, epochs: 1, halfLifeDays: 20 }))
    for (const stage of ['', 'ingest', 'ranker', 'learn', 'packs']) {
      const night = nightjar(['nightly', '--directory', home, '--source', 'shop', '--config', changed])
      night.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes(stage)) night.kill('SIGKILL')
      })
      const { signal } = await night
      expect(signal).toBe('SIGKILL')
      expect((await get(edge, '/v1/lists/*/popular')).release).toBe(live)
    }
    const report = await nightly(home, '--source', 'shop', '--config', changed)
    expect(report.stages.some((stage) => stage.resumed)).toBe(true)
    const running = edge
    await expect.poll(async () => (await get(running, '/v1/lists/*/popular')).release, { timeout: 60_000 }).toBe(report.release)
  })

  it('rolls back by the pointer alone', async () => {
    if (edge === undefined) throw new Error('the edge is not up')
    const { release } = await get(edge, '/v1/lists/*/popular')
    const { exitCode, stdout } = await nightjar(['rollback', '--directory', home])
    expect([exitCode, String(stdout)]).toEqual([0, expect.stringContaining(`${release} was`)])
    const running = edge
    await expect.poll(async () => (await get(running, '/v1/lists/*/popular')).release, { timeout: 60_000 }).not.toBe(release)
    const { stdout: audit } = await nightjar(['audit', '--json', '--directory', home])
    const { whole, operator } = JSON.parse(String(audit)) as { whole: boolean; operator: object[] }
    expect(whole).toBe(true)
    expect(operator).toMatchObject([{ action: 'admin', actor: 'operator', detail: { from: release, to: expect.any(String) } }])
  })
})

describe('bad use', () => {
  it.each([
    [['nightly', '--source', 'csv'], /needs --events FILE/],
    [['nightly', '--source', 'nothing'], /Allowed choices/],
    [['nightly', '--source', 'csv', '--events', '/nowhere.csv'], /no such file/],
    [['nightly', '--config', '/nowhere.json'], /cannot be read/],
    [['nightly', '--config', join(ROOT, 'biome.json')], /\$schema: there is no such setting; docs\/nightly.md lists/],
    [['nightly', '--directory', '/dev/null/nowhere'], /cannot be made or written \(ENOTDIR\); give another with --directory/],
    [['show', '--directory', '/dev/null'], /cannot be made or written \(ENOTDIR\)/],
    [['nightly', '--threads', 'many'], /whole number/],
    [['nightly', '--events', 'orders.csv'], /--events goes with --source csv, not with shop/],
    [['show', '--limit', 'all'], /whole number/],
    [['bench', 'quality', '--seeds', '0'], /whole number/],
    [['show', 'deadbeef'], /no release deadbeef/],
    [['rollback'], /no release is live/],
    [['frobnicate'], /unknown command/],
  ])('%j ends with one clear line and exit code 2', async (parameters, message) => {
    const empty = mkdtempSync(join(tmpdir(), 'nightjar-bad-'))
    const takesDirectory = ['nightly', 'show', 'rollback'].includes(parameters[0]) && !parameters.includes('--directory')
    const { exitCode, stderr } = await nightjar(takesDirectory ? [...parameters, '--directory', empty] : parameters)
    rmSync(empty, { recursive: true, force: true })
    expect(exitCode).toBe(2)
    expect(String(stderr)).toMatch(message)
    expect(String(stderr).trim().split('\n').length).toBeLessThanOrEqual(2)
  })

  it('on local state that is damaged ends too, with what to do', async () => {
    const damaged = mkdtempSync(join(tmpdir(), 'nightjar-damaged-'))
    const kv = join(stateOf(damaged), 'v3/kv/miniflare-KVNamespaceObject')
    mkdirSync(kv, { recursive: true })
    writeFileSync(join(kv, 'metadata.sqlite'), 'no database')
    const { exitCode, stderr } = await nightjar(['show', '--directory', damaged])
    rmSync(damaged, { recursive: true, force: true })
    expect(exitCode).toBe(1)
    expect(String(stderr).trim().split('\n').at(-1)).toMatch(/^nightjar: .*state: this state cannot be opened; delete it/)
  })
})

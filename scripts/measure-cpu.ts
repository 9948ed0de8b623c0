import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { DEFAULT_DIRECTORY } from '../batch/cli/target.ts'
import { copyLiveRelease } from '../batch/release/copy-release.ts'
import { findTarget, openStores } from '../batch/stores/open-stores.ts'
import { startBuiltEdge } from './built-edge.ts'

/**
 * Prints the CPU that the runtime's process takes for each kind of request, as rows of batch/cost/measured.json: the
 * Worker as it is deployed, the live local release, one request after the other. Linux only: it reads /proc.
 */
const { values } = parseArgs({
  options: { directory: { type: 'string', default: DEFAULT_DIRECTORY }, requests: { type: 'string', default: '1500' } },
})
const requests = Number(values.requests)
/** Long enough for the engine to compile what is hot, and for the ONNX session to stand. */
const WARM_UP = 600
const TICKS_A_SECOND = 100

const secrets = { ID_KEY: 'cost', IDENTITY_KEY: 'cost', ADMIN_KEY: 'cost', TOKEN_KEYS: `k1:${randomBytes(32).toString('base64')}` }
const edge = await startBuiltEdge({ ...secrets, WRITE_KEY: 'cost' })
try {
  const local = await openStores(await findTarget({ remote: false, directory: values.directory }))
  const published = await copyLiveRelease(local, edge.stores, Date.now()).finally(() => local.close())
  if (published === null) throw new Error('no live release to measure with; run a night first: npx nightjar nightly --source shop')
  const json = async (path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(new URL(path, edge.url), body && { method: 'POST', body: JSON.stringify({ writeKey: 'cost', ...body }) })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return answer.json()
  }
  const { visitor } = (await json('/v1/visitors', { consent: 'granted' })) as { visitor: string }
  const { items } = (await json('/v1/lists/GB/popular')) as { items: { id: string }[] }
  let sent = 0
  const click = (item: string): Promise<unknown> =>
    json('/v1/events', { visitor, consent: 'granted', events: [{ id: `cost-${String(++sent).padStart(8, '0')}`, type: 'click', item }] })
  let token = ''
  for (const { id } of items.slice(0, 10)) token = ((await click(id)) as { token: string }).token
  const kinds: Record<string, () => Promise<unknown>> = {
    token: () => json('/v1/recommendations', { visitor, token }),
    object: () => json('/v1/recommendations', { visitor, consent: 'granted' }),
    list: () => json('/v1/lists/GB/popular'),
    similar: () => json(`/v1/items/${encodeURIComponent(items[0].id)}/similar`),
    event: () => click(items[sent % items.length].id),
  }
  for (const [scenario, ask] of Object.entries(kinds)) {
    for (let i = 0; i < WARM_UP; i++) await ask()
    const before = cpuSeconds()
    for (let i = 0; i < requests; i++) await ask()
    const value = Math.round((1e6 * (cpuSeconds() - before)) / requests) / 1000
    process.stdout.write(`${JSON.stringify({ scenario, metric: 'cpu-ms', value })}\n`)
  }
} finally {
  await edge.stop()
}

/** Of this process's children that are the runtime. */
function cpuSeconds(): number {
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = statOf(pid)
    if (stat?.name === 'workerd' && stat.parent === process.pid) ticks += stat.ticks
  }
  return ticks / TICKS_A_SECOND
}

function statOf(pid: string): { name: string; parent: number; ticks: number } | null {
  try {
    const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    const fields = rest.split(' ')
    return { name, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    // It ended while we looked.
    return null
  }
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { randomStream } from '../../shared/random.ts'

const NIGHTJAR = join(import.meta.dirname, '../../batch/bin/nightjar.mjs')
type Line = { visitor: string; release: string; source: string; region: string; items: { id: string; score: number }[] }

let directory: string
const at = (name: string): string => join(directory, name)
const nightjar = (...parameters: string[]) =>
  execa(process.execPath, [NIGHTJAR, ...parameters, '--directory', at('state')], { reject: false, env: { ID_KEY: 'test-id-key' } })

/** Three kinds of customers, each of whom takes items of one kind and buys the last of six. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nightjar-export-'))
  const random = randomStream(2)
  const rows = Array.from({ length: 1800 }, (_, n) => {
    const visitor = Math.floor(n / 6)
    const item = 20 * (visitor % 3) + Math.floor(20 * random())
    return `c${visitor},i${item},${1_795_000_000 + 600 * visitor + 30 * (n % 6)},${n % 6 === 5 ? 'purchase' : 'item_view'},${visitor % 2 === 1 ? 'DE' : 'FR'}`
  })
  writeFileSync(at('orders.csv'), `visitor,item,at,kind,country\n${rows.join('\n')}\n`)
  writeFileSync(at('config.json'), JSON.stringify({ decisions: 300, epochs: 1, trials: 1 }))
  const made = await nightjar(
    'nightly',
    '--source',
    'csv',
    '--events',
    at('orders.csv'),
    '--config',
    at('config.json'),
    '--members',
    '--force',
  )
  if (made.exitCode !== 0) throw new Error(String(made.stderr))
})
afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

it('gives customers lists of their kind without what they bought, and strangers their country’s', async () => {
  writeFileSync(at('visitors.txt'), 'c0,FR\nc1\n\nstranger,DE\n')
  const { exitCode, stdout } = await nightjar('export', '--visitors', at('visitors.txt'), '--limit', '5', '--out', at('lists.ndjson'))
  expect([exitCode, stdout]).toEqual([0, `3 lists in ${at('lists.ndjson')}, 2 of them personal.`])
  const { stdout: audit } = await nightjar('audit', '--json')
  expect(JSON.parse(String(audit))).toMatchObject({
    whole: true,
    operator: [{ action: 'export', actor: 'operator', detail: { visitors: 3 } }],
  })
  const lines = readFileSync(at('lists.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
  expect(lines).toMatchObject([
    { visitor: 'c0', source: 'personal', region: 'FR' },
    { visitor: 'c1', source: 'personal', region: '*' },
    { visitor: 'stranger', source: 'region-list', region: 'DE' },
  ])
  const bought = new Set(
    readFileSync(at('orders.csv'), 'utf8')
      .split('\n')
      .filter((row) => /^c[01],.*purchase/.test(row))
      .map((row) => row.split(',').slice(0, 2).join(' ')),
  )
  for (const [kind, { visitor, items }] of lines.slice(0, 2).entries()) {
    expect(items).toHaveLength(5)
    for (const { id } of items) {
      expect(Math.floor(Number(id.slice(1)) / 20)).toBe(kind)
      expect(bought).not.toContain(`${visitor} ${id}`)
    }
  }
  expect(lines[2]?.items).toHaveLength(5)
})

it.each([
  ['a,b,c', /line 1 must be a visitor id/],
  ['', /no visitors in it/],
])('a file with %j ends with one clear line', async (text, message) => {
  writeFileSync(at('bad.txt'), text)
  const { exitCode, stderr } = await nightjar('export', '--visitors', at('bad.txt'))
  expect(exitCode).toBe(2)
  expect(String(stderr)).toMatch(message)
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Takes the CPU of each kind of request from rows of "nightjar bench edge --json FILE" into batch/cost/measured.json: node scripts/take-in-cpu.ts FILE; npm run format */
type Row = { scenario: string; metric: string; value: number; connections?: number }
type Table = Record<string, { measured: string; command: string; rows: Row[] }>

const KINDS = ['token', 'object', 'list', 'similar', 'event']
const TABLE = join(import.meta.dirname, '../batch/cost/measured.json')

const [file] = process.argv.slice(2)
if (file === undefined) throw new Error('which file? node scripts/take-in-cpu.ts FILE')
const measured: Row[] = JSON.parse(readFileSync(file, 'utf8'))
const rows = KINDS.map((scenario): Row => {
  const own = measured.filter((row) => row.scenario === scenario && row.metric === 'cpu-ms')
  if (own.length === 0) throw new Error(`${file}: no cpu-ms of ${scenario}`)
  const value = own.reduce((sum, row) => sum + row.value, 0) / own.length
  return { scenario, metric: 'cpu-ms', value: Math.round(1000 * value) / 1000 }
})
const table: Table = JSON.parse(readFileSync(TABLE, 'utf8'))
const today = new Date().toISOString().slice(0, 10)
const command = 'npx nightjar bench edge --json FILE; node scripts/take-in-cpu.ts FILE'
// A row a line.
const section = ([name, own]: [string, Table[string]]): string =>
  `${JSON.stringify(name)}: ${JSON.stringify({ ...own, rows: [] }).replace('[]', () => `[\n${own.rows.map((row) => JSON.stringify(row)).join(',\n')}\n]`)}`
const sections = Object.entries({ ...table, cpu: { measured: today, command, rows } }).map(section)
writeFileSync(TABLE, `{\n${sections.join(',\n')}\n}\n`)

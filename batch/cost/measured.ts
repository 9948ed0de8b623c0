import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { firstIssue } from '../first-issue.ts'
import { InputError } from '../sources/source.ts'

/** Where a Worker's billed operations arise. */
export const SCENARIOS = [
  // Requests to a warm isolate.
  'token',
  'object',
  'list',
  'similar',
  'event',
  /** The event that makes a visitor's object. */
  'first-event',
  /** Writing out a shard of the event log, and what each post of it adds. */
  'flush',
  'post-flushed',
  'cron',
  /** A request that changes the catalogue, alone in its second. */
  'change',
  /** The first request of an isolate, and what one that is always busy reads to stay fresh. */
  'cold',
  'isolate-hour',
  /** A look whether the visitor came back. */
  'visitor-alarm',
  /** What is kept of a visitor, of a post, and of an item in a release. */
  'visitor',
  'post',
  'item',
] as const
export type Scenario = (typeof SCENARIOS)[number]

export const METRICS = ['kv-ops', 'kv-writes', 'object-ops', 'rows-read', 'rows-written', 'r2-ops', 'r2-writes', 'cpu-ms', 'bytes'] as const
export type Metric = (typeof METRICS)[number]

/** How much of a metric one of a scenario takes; what was not measured did not occur, and is 0. */
export type Measured = (scenario: Scenario, metric: Metric) => number

const Row = v.object({ scenario: v.string(), metric: v.string(), value: v.pipe(v.number(), v.finite(), v.minValue(0)) })
type Row = v.InferOutput<typeof Row>
const Table = v.record(v.string(), v.object({ measured: v.string(), command: v.string(), rows: v.array(Row) }))

const DEFAULT = join(import.meta.dirname, 'measured.json')

/**
 * The committed measurements, with those of `file` before them: rows as "nightjar bench edge --json" writes them, each
 * the mean over the numbers of connections it was measured with.
 * @throws InputError for a file that holds no such rows
 */
export function readMeasured(file: string | undefined): Measured {
  const means = new Map<string, { sum: number; count: number }>()
  const known = Object.values(v.parse(Table, JSON.parse(readFileSync(DEFAULT, 'utf8')))).flatMap(({ rows }) => rows)
  const given = file === undefined ? [] : rowsOf(file)
  const replaced = new Set(given.map(keyOf))
  for (const row of [...known.filter((row) => !replaced.has(keyOf(row))), ...given]) {
    const { sum, count } = means.get(keyOf(row)) ?? { sum: 0, count: 0 }
    means.set(keyOf(row), { sum: sum + row.value, count: count + 1 })
  }
  return (scenario, metric) => {
    const mean = means.get(keyOf({ scenario, metric }))
    return mean === undefined ? 0 : mean.sum / mean.count
  }
}

const keyOf = ({ scenario, metric }: Pick<Row, 'scenario' | 'metric'>): string => `${scenario} ${metric}`

function rowsOf(file: string): Row[] {
  let json: unknown
  try {
    json = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(
      `${file}: ${error instanceof SyntaxError ? `not JSON (${error.message})` : 'cannot be read; give the path of a JSON file'}`,
    )
  }
  const parsed = v.safeParse(v.array(Row), json)
  if (!parsed.success)
    throw new InputError(`${file}: ${firstIssue(parsed.issues)}; "npx nightjar bench edge --json FILE" writes such a file`)
  const known = parsed.output.filter(({ scenario, metric }) => isOneOf(SCENARIOS, scenario) && isOneOf(METRICS, metric))
  // Its bytes are those of an answer, not of what is kept.
  const usable = known.filter(({ metric }) => metric !== 'bytes')
  if (usable.length === 0) throw new InputError(`${file}: no row of a scenario that is billed (${SCENARIOS.join(', ')})`)
  return usable
}

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name)

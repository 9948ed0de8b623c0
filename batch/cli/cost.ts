import { Command, InvalidArgumentError } from 'commander'
import { type Bill, billOf } from '../cost/bill.ts'
import { readMeasured } from '../cost/measured.ts'
import { CHECKED, FREE_CPU_MS, type Meter, PAID_PLAN, PRICES } from '../cost/prices.ts'
import { USUAL, type Workload } from '../cost/usage.ts'
import { amount } from './amount.ts'
import { wholeNumber } from './whole-number.ts'

type CostOptions = Workload & { measured?: string; json?: true }

export const costCommand = (): Command =>
  new Command('cost')
    .description('what a month on Cloudflare costs, line by line, from measured operations and dated prices')
    .requiredOption('--recommendations <n>', 'answers a month; 250k and 100M are numbers', amount)
    .requiredOption('--event-posts <n>', 'posts of events a month', amount)
    .requiredOption('--items <n>', 'in the catalogue', amount)
    .requiredOption('--visitors <n>', 'who said yes and did something within 180 days: each has an object', amount)
    .option('--object-share <share>', 'of the recommendations, how many come without the memory token', share, USUAL.objectShare)
    .option('--list-share <share>', 'of the recommendations, how many are public lists', share, USUAL.listShare)
    .option('--new-share <share>', 'of the visitors, how many are new in a month', share, USUAL.newShare)
    .option('--changed-share <share>', 'of a release, how much changes in a night', share, USUAL.changedShare)
    .option('--catalogue-changes <n>', 'requests a month that change the catalogue without a night', amount, USUAL.catalogueChanges)
    .option('--isolates <n>', 'always busy ones; the Worker’s metrics tell', wholeNumber(1, 100_000), USUAL.isolates)
    .option('--restarts <n>', 'of each isolate in a month', wholeNumber(0, 100_000), USUAL.restarts)
    .option('--shards <n>', 'of the event log (EVENT_LOG_SHARDS)', wholeNumber(1, 64), USUAL.shards)
    .option('--object-ms <n>', 'wall-clock time that an object is busy with a request', wholeNumber(1, 10_000), USUAL.objectMs)
    .option('--measured <file>', 'rows of "nightjar bench edge --json", before the committed measurements')
    .option('--json', 'print the bill as JSON and nothing else')
    .addHelpText('after', '\nExample:\n  $ npx nightjar cost --recommendations 100M --event-posts 20M --items 50k --visitors 5M')
    .action((options: CostOptions) => {
      const { measured, json, ...given } = options
      const load: Workload = { ...USUAL, ...given }
      const bill = billOf(load, readMeasured(measured))
      process.stdout.write(json ? `${JSON.stringify({ checked: CHECKED, load, ...bill })}\n` : described(bill))
    })

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be from 0 to 1.')
  return value
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const dollars = (value: number): string => `$${value.toFixed(2)}`

function described(bill: Bill): string {
  const lines = bill.lines.filter(({ amount }) => amount > 0)
  const rows = lines.map(({ meter, amount, origin, dollars: own, freeShare }) => [
    PRICES[meter].name,
    whole.format(amount),
    origin,
    dollars(own),
    Number.isFinite(freeShare) && freeShare > 0 ? `${whole.format(100 * freeShare)} %` : '',
  ])
  const table = [['a month', 'amount', 'mostly of', 'paid plan', 'of the free plan'], ...rows, ['the plan', '', '', dollars(PAID_PLAN), '']]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const text = table.map((row) =>
    row
      .map((cell, i) => (i === 0 || i === 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  )
  const most = lines.toSorted((a, b) => b.dollars - a.dollars).filter((line) => line.dollars > 0)
  return `${[
    '',
    ...text,
    '',
    `${dollars(bill.dollars)} a month on the paid plan${bill.perMillion === null ? '' : `, ${dollars(bill.perMillion)} per million recommendations`}, all in (prices of ${CHECKED}).`,
    ...(most.length > 0
      ? [
          `Most of it: ${most
            .slice(0, 3)
            .map((line) => `${PRICES[line.meter].name} ${dollars(line.dollars)}`)
            .join(', ')}.`,
        ]
      : []),
    `The paid plan refuses nothing; what it holds is used up first by ${PRICES[bill.paid.first].name}: ${timesOver(bill.paid.times)}.`,
    ...bill.advice.map((line) => `  ${line}`),
    freeLine(bill),
    ...bill.free.advice.map((line) => `  ${line}`),
    '',
  ].join('\n')}`
}

const timesOver = (times: number): string => (times <= 1 ? `${Math.round(100 * times)} % are used` : `${whole.format(times)} times over`)

function freeLine({ free }: Bill): string {
  const nameOf = (first: Meter | 'cpu-a-request'): string =>
    first === 'cpu-a-request' ? `CPU (${FREE_CPU_MS} ms a request)` : PRICES[first].name
  if (free.first === null) return 'The free plan is enough.'
  if (free.enough) return `The free plan is enough; its first limit, ${nameOf(free.first)}, is ${Math.round(100 * free.times)} % used.`
  return `The free plan is not enough: ${nameOf(free.first)} is the limit that is hit first, ${whole.format(free.times)} times over.`
}

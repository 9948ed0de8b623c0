import { CHECKED, PRICES } from '../cost/prices.ts'
import type { Gate } from '../night/gates.ts'
import type { NightReport } from '../night/night.ts'
import type { Plan } from '../release/plan.ts'

/** Gates that would refuse the release. */
export const refusedBy = ({ gates }: NightReport): Gate[] => gates.filter((gate) => !gate.passed)

const count = new Intl.NumberFormat('en')

/** What `nightly --plan` prints. */
export function describedPlan(report: NightReport, plan: Plan): string {
  const shown = (value: number | string | null): string => (typeof value === 'number' ? count.format(value) : (value ?? '–'))
  const table = (rows: string[][]): string[] => {
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
    return rows.map((row) => `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`)
  }
  const month = plan.bill.reduce((sum, { dollars }) => sum + dollars, 0)
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
  const refused = refusedBy(report)
  const lines = [
    '',
    `Release ${plan.release} would go live; nothing was written. Run the same without --plan to publish it: what was computed is kept.`,
    ...refused.map((gate) => `  would be REFUSED by ${gate.name}: ${gate.detail}`),
    '',
    ...table([['', 'live', 'planned'], ...plan.differences.map(({ name, live, planned }) => [name, shown(live), shown(planned)])]),
    '',
    `${count.format(plan.kvWrites)} KV writes (${megabytes(plan.written)}), ${count.format(plan.kvDeletes)} deletes, ${count.format(plan.r2Writes)} R2 writes; ${plan.reused} of ${plan.packs} packs are the live release's.`,
    `Then ${megabytes(plan.kvBytes)} in KV, and ${megabytes(plan.archiveBytes)} in R2 after 30 such nights.`,
    '',
    ...table([
      ['30 such nights', 'amount', 'paid plan', 'of the free plan'],
      ...plan.bill.map(({ meter, amount, dollars, freeShare }) => [
        PRICES[meter].name,
        amount >= 100 ? count.format(Math.round(amount)) : amount.toFixed(3),
        `$${dollars.toFixed(2)}`,
        `${(100 * freeShare).toFixed(1)} %`,
      ]),
    ]),
    `  $${month.toFixed(2)} a month beside the plan itself, at the prices of ${CHECKED}.`,
    '',
  ]
  return lines.join('\n')
}

import type { Row } from './fault.ts'

const harm = ({ lost, doubled, errors }: Row): number => lost + doubled + errors

/** A fault does no harm; without a protection it must: a test that finds nothing has to show that it can. */
export const isRight = (row: Row): boolean => (row.without === undefined ? harm(row) === 0 : harm(row) > 0)

export const HEAD = line('', 'fault', 'tried', 'survived', 'lost', 'doubled', 'errors')

export function lineOf(row: Row): string {
  const { fault, tried, survived, lost, doubled, errors, without } = row
  const name = without === undefined ? fault : `  without ${without}`
  const text = line(isRight(row) ? 'ok' : 'WRONG', name, ...[tried, survived, lost, doubled, errors].map(String))
  const reasons = Object.entries(row.wrong).map(([what, count]) => `${count} × ${what}`)
  return isRight(row) || reasons.length === 0 ? text : `${text}        ${reasons.join('; ')}\n`
}

function line(verdict: string, name: string, ...figures: string[]): string {
  return `${verdict.padEnd(6)}${name.padEnd(62)}${figures.map((figure) => figure.padStart(9)).join('')}\n`
}

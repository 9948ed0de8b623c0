import { InvalidArgumentError } from 'commander'

const UNITS: Record<string, number> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }

/** For an option that takes a large number: 50k, 1.5M, 20000. */
export function amount(text: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text.trim()) ?? []
  const value = digits === undefined ? Number.NaN : Math.round(Number(digits) * UNITS[unit])
  if (!Number.isSafeInteger(value) || value > 1e13) throw new InvalidArgumentError('It must be a number like 50000, 50k or 1.5M.')
  return value
}

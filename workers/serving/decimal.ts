const STEPS = 1000
const digits = Array.from({ length: STEPS }, (_, i) => String(i).padStart(3, '0'))
const lastDigits = digits.map((text) => text.replace(/0+$/, ''))

/**
 * A number as JSON has it. Probabilities, which have six places after the point, are put together of two thirds that are written
 * already: the platform's own search for the shortest text that reads back as the same number took a fiftieth of an answer's CPU.
 */
export function decimal(value: number): string {
  const millionths = Math.round(value * 1e6)
  if (millionths / 1e6 !== value || value <= 0 || value >= 1) return JSON.stringify(value)
  const high = Math.floor(millionths / STEPS)
  const low = millionths % STEPS
  return low === 0 ? `0.${lastDigits[high]}` : `0.${digits[high]}${lastDigits[low]}`
}

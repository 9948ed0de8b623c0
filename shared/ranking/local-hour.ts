/**
 * Hours ahead of UTC in winter, where most of a country's people live. Close enough for bands of four hours; a country
 * that is not here counts as UTC.
 */
const USUAL_OFFSETS: Readonly<Record<string, readonly string[]>> = {
  '-6': ['MX', 'CR', 'GT', 'SV', 'HN', 'NI'],
  '-5': ['US', 'CA', 'CO', 'PE', 'EC', 'PA', 'JM', 'CU'],
  '-4': ['CL', 'BO', 'VE', 'PY', 'DO', 'PR'],
  '-3': ['BR', 'AR', 'UY'],
  '1': [
    'DE',
    'FR',
    'ES',
    'IT',
    'NL',
    'BE',
    'LU',
    'AT',
    'CH',
    'DK',
    'NO',
    'SE',
    'PL',
    'CZ',
    'SK',
    'HU',
    'SI',
    'HR',
    'RS',
    'MT',
    'NG',
    'DZ',
    'TN',
  ],
  '2': ['FI', 'EE', 'LV', 'LT', 'GR', 'RO', 'BG', 'UA', 'CY', 'IL', 'LB', 'EG', 'ZA'],
  '3': ['RU', 'TR', 'SA', 'KE', 'QA', 'BH', 'KW', 'IQ'],
  '4': ['AE'],
  '5': ['PK'],
  '5.5': ['IN', 'LK'],
  '6': ['BD'],
  '7': ['TH', 'VN', 'ID'],
  '8': ['CN', 'SG', 'MY', 'PH', 'TW', 'HK'],
  '9': ['JP', 'KR'],
  '10': ['AU'],
  '12': ['NZ'],
}
const offsetOf = new Map(
  Object.entries(USUAL_OFFSETS).flatMap(([hours, countries]) => countries.map((country) => [country, Number(hours)])),
)

/** The hour of day, 0 … 23, where the visitor is. @param at Unix seconds @param country ISO 3166-1 alpha-2, '' = unknown */
export const usualHour = (at: number, country: string): number => ((Math.floor(at / 3600 + (offsetOf.get(country) ?? 0)) % 24) + 24) % 24

/** By the time zone's own clock, where the name is one. @param timezone IANA name */
export function zoneHour(at: number, timezone: string): number | null {
  try {
    return Number(clockOf(timezone).format(1000 * at))
  } catch {
    return null
  }
}

/** Making one costs more than all it is used for. */
const clocks = new Map<string, Intl.DateTimeFormat>()
const MOST_CLOCKS = 500

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone)
  if (known !== undefined) return known
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone })
  if (clocks.size < MOST_CLOCKS) clocks.set(timeZone, clock)
  return clock
}

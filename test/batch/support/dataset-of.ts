import { type Dataset, noImpressions, WHOLE } from '../../../batch/dataset.ts'

export type DeedRow = {
  visitor: number
  item: number
  at: number
  session?: number
  deed?: number
  weight?: number
  country?: number
  device?: number
  referrer?: number
}

/** A data set in memory, of deeds in order. */
export function datasetOf(visitors: number, items: number, deeds: DeedRow[]): Dataset {
  const column = (value: (deed: DeedRow) => number): number[] => deeds.map(value)
  return {
    source: 'test',
    items: Array.from({ length: items }, (_, i) => ({
      id: `item-${String(i).padStart(4, '0')}`,
      values: {},
      category: '',
      price: 1,
      available: true,
      firstSeen: 0,
    })),
    visitors: Array.from({ length: visitors }, (_, v) => `visitor-${v}`),
    pseudonymous: new Uint8Array(visitors),
    countries: ['', 'DE', 'GB'],
    deeds: {
      count: deeds.length,
      visitor: Uint32Array.from(column(({ visitor }) => visitor)),
      item: Uint32Array.from(column(({ item }) => item)),
      at: Uint32Array.from(column(({ at }) => at)),
      deed: Uint8Array.from(column(({ deed = 0 }) => deed)),
      session: Uint32Array.from(column(({ session, visitor }) => session ?? visitor)),
      country: Uint8Array.from(column(({ country = 2 }) => country)),
      device: Uint8Array.from(column(({ device = 0 }) => device)),
      weight: Uint8Array.from(column(({ weight = WHOLE }) => weight)),
      referrer: Uint8Array.from(column(({ referrer = 0 }) => referrer)),
    },
    impressions: noImpressions(),
    from: 0,
    to: Math.max(...deeds.map(({ at }) => at)),
    fingerprint: '',
    erased: [],
    dropped: {},
  }
}

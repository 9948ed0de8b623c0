import type { Dataset } from '../../../batch/dataset.ts'
import { randomStream } from '../../../shared/random.ts'
import { type DeedRow, datasetOf } from './dataset-of.ts'

const HOUR = 3600

/** Visitors who come back a few times, days apart, and mostly take what stands next to what they took before. */
export function tastes({ visitors, items, seed }: { visitors: number; items: number; seed: number }): Dataset {
  const random = randomStream(seed)
  const deeds: DeedRow[] = []
  let session = 0
  for (let visitor = 0; visitor < visitors; visitor++) {
    let at = Math.floor(random() * 60 * 24 * HOUR)
    let item = Math.floor(random() * items)
    for (let visit = 0; visit < 3; visit++) {
      for (let step = 0; step < 4; step++) {
        deeds.push({ visitor, item, at, session })
        at += 60
        item = random() < 0.8 ? (item + 1 + Math.floor(random() * 2)) % items : Math.floor(random() * items)
      }
      session++
      at += Math.floor((1 + random() * 9) * 24 * HOUR)
    }
  }
  return datasetOf(visitors, items, deeds)
}

import { expect, it } from 'vitest'
import type { Decision } from '../../batch/ranker/decisions.ts'
import { vectorQuality } from '../../batch/ranker/vector-quality.ts'

const ITEMS = 60

/** Item i points so many degrees away from item 0. */
const fan = (degrees: (item: number) => number): Float32Array =>
  Float32Array.from({ length: 2 * ITEMS }, (_, k) => {
    const angle = (Math.PI / 180) * degrees(k >> 1)
    return k % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
  })

const decision = (history: number[], next: number[], barred: number[] = []): Decision => ({
  visitor: 0,
  at: 0,
  kind: 'step',
  history: history.map((item) => ({ item, deed: 0, age: 10 })),
  next: new Set(next),
  barred: new Set(barred),
  country: '',
  position: 0,
  half: 0,
  validation: false,
})

it('is full where the next item points where the history does, and none where it points away', async () => {
  const asked = [decision([0], [1]), decision([59], [58])]
  expect(
    await vectorQuality(
      ITEMS,
      asked,
      fan((item) => 3 * item),
      2,
    ),
  ).toBe(2)
  expect(
    await vectorQuality(
      ITEMS,
      [decision([0], [59])],
      fan((item) => 3 * item),
      2,
    ),
  ).toBe(0)
})

it('neither counts nor shows the history and what is barred', async () => {
  const near = fan((item) => item)
  // Items 1 to 20 fill the slate before item 21, unless one of them may not be shown.
  expect(await vectorQuality(ITEMS, [decision([0], [21])], near, 2)).toBe(0)
  expect(await vectorQuality(ITEMS, [decision([0], [21], [7])], near, 2)).toBeGreaterThan(1)
  expect(await vectorQuality(ITEMS, [decision([0], [0])], near, 2)).toBe(0)
  expect(await vectorQuality(ITEMS, [decision([0], [7], [7])], near, 2)).toBe(0)
})

it('asks nothing of those without a history', async () => {
  const asked = [decision([0], [1]), decision([], [40])]
  expect(
    await vectorQuality(
      ITEMS,
      asked,
      fan((item) => item),
      2,
    ),
  ).toBe(2)
})

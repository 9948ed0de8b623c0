import { describe, expect, it } from 'vitest'
import { madeUpRelease } from '../../batch/edge-bench/made-up-release.ts'
import { frontFirst } from '../../batch/release/front.ts'
import { packsOf } from '../../batch/release/release-store.ts'
import { AVAILABLE, decodeCore, NEW } from '../../shared/release/core-pack.ts'
import { decodeDisplay } from '../../shared/release/display-pack.ts'
import { packOfSlot } from '../../shared/release/manifest.ts'
import { decodeNeighbours } from '../../shared/release/neighbour-pack.ts'

const MEGABYTE = 1024 * 1024

/** Items in the reverse of clustered order, the later ones more popular, every tenth of the unpopular half new. */
const catalogue = (items: number) => ({
  slot: Uint32Array.from({ length: items }, (_, item) => items - 1 - item),
  popularity: Uint8Array.from({ length: items }, (_, item) => Math.floor((255 * item) / items)),
  flags: Uint8Array.from({ length: items }, (_, item) => AVAILABLE | (item < items / 2 && item % 10 === 0 ? NEW : 0)),
})
const rows = (items: number, bytes: number): Float64Array => new Float64Array(items).fill(bytes)
const orderOf = (items: number, neighbourBytes: number, displayBytes: number) => {
  const { slot, popularity, flags } = catalogue(items)
  return frontFirst({ slot, popularity, flags } as Parameters<typeof frontFirst>[0], rows(items, neighbourBytes), rows(items, displayBytes))
}

describe('the order of rows', () => {
  it('is the clustered one, in one pack of each kind, where a catalogue is small', () => {
    const { order, front } = orderOf(100, 300, 100)
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => 99 - at))
    expect(front).toEqual({ neighbours: 100, display: 100 })
  })

  it.each([
    ['neighbours are the larger', 40_000, 10_000],
    ['display rows are the larger', 20_000, 20_000],
  ])('begins with what is most popular and what is new where it is large; %s', (_, neighbourBytes, displayBytes) => {
    const items = 1000
    const { order, front } = orderOf(items, neighbourBytes, displayBytes)
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: items }, (_, item) => item))
    expect(front).toEqual({ neighbours: Math.floor((4 * MEGABYTE) / neighbourBytes), display: Math.floor((2 * MEGABYTE) / displayBytes) })
    const popular = Array.from({ length: front.neighbours }, (_, i) => items - 1 - i)
    expect(order.slice(0, front.neighbours).toSorted((a, b) => b - a)).toEqual(popular)
    const shown = new Set(order.slice(0, front.display))
    if (front.display > front.neighbours) {
      const added = [...shown].filter((item) => item < items - front.neighbours)
      expect(added.filter((item) => item < items / 2)).toEqual(expect.arrayContaining([0, 10, 20, 490]))
    }
    // Behind the front, clustered order.
    const rest = order.slice(Math.max(front.neighbours, front.display))
    expect(rest).toEqual(rest.toSorted((a, b) => b - a))
  })
})

it('a release too large for one pack of each kind still has every row where its slot says, and few lists packs', async () => {
  const { manifest, packs } = await madeUpRelease(25_000, 1)
  const buffer = (hash: string): ArrayBuffer => packs.get(hash)?.buffer ?? expect.unreachable()
  const core = decodeCore(buffer(manifest.core.hash))
  expect(manifest.neighbours.length).toBeGreaterThan(1)
  expect(manifest.neighbours[0].bytes).toBeLessThan(4.2 * MEGABYTE)
  expect(manifest.display[0].bytes).toBeLessThan(2.2 * MEGABYTE)
  expect(manifest.lists).toHaveLength(1)
  expect(packsOf(manifest).length).toBeLessThan(150)
  const neighbours = manifest.neighbours.map(({ hash }) => decodeNeighbours(buffer(hash)))
  const display = manifest.display.map(({ hash }) => decodeDisplay(buffer(hash)))
  for (let item = 0; item < core.items; item += 97) {
    const slot = core.slot[item]
    expect(display[packOfSlot(manifest.display, slot)].id(slot)).toBe(`made-up-${String(item).padStart(7, '0')}`)
    const row = neighbours[packOfSlot(manifest.neighbours, slot)].row(slot)
    // What is made up has its neighbours at most 200 places around it.
    for (const other of row.items.subarray(row.from, row.to))
      expect(Math.min(Math.abs(other - item), core.items - Math.abs(other - item))).toBeLessThanOrEqual(200)
  }
  const [first] = manifest.firstList ?? []
  expect(first.values).toMatchObject({ edition: 1, title: expect.stringContaining('Made-up article') })
  expect(JSON.stringify(manifest.firstList).length).toBeLessThan(9 * 1024)
})

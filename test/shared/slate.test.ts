import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capCategories, NEW_ITEM_POSITION, placeNewItem } from '../../shared/ranking/slate.ts'

const order = fc.uniqueArray(fc.nat(500), { maxLength: 120 })
const categoryOf = (kinds: number) => (position: number) => position % kinds

describe('capCategories', () => {
  it('loses nothing and shows nothing twice', () => {
    fc.assert(
      fc.property(order, fc.integer({ min: 1, max: 6 }), (positions, kinds) => {
        expect([...capCategories(positions, categoryOf(kinds))].sort((a, b) => a - b)).toEqual([...positions].sort((a, b) => a - b))
      }),
    )
  })

  it('lets at most four of a category into a window while there are others, and keeps the order within a category', () => {
    fc.assert(
      fc.property(order, (positions) => {
        const category = (position: number): number => 1 + (position % 5)
        const arranged = capCategories(positions, category)
        for (let from = 0; from < arranged.length; from += 10) {
          const window = arranged.slice(from, from + 10)
          const rest = arranged.slice(from)
          for (let kind = 1; kind <= 5; kind++) {
            const inWindow = window.filter((position) => category(position) === kind).length
            const others = new Map<number, number>()
            for (const position of rest) others.set(category(position), (others.get(category(position)) ?? 0) + 1)
            const without = [...others].filter(([other]) => other !== kind).reduce((sum, [, count]) => sum + Math.min(4, count), 0)
            if (without + 4 >= window.length) expect(inWindow).toBeLessThanOrEqual(4)
          }
        }
        for (let kind = 1; kind <= 5; kind++) {
          const of = (all: readonly number[]): number[] => all.filter((position) => category(position) === kind)
          expect(of(arranged)).toEqual(of(positions))
        }
      }),
    )
  })

  it('never caps what has no category', () => {
    const positions = Array.from({ length: 30 }, (_, i) => i)
    expect(capCategories(positions, () => 0)).toEqual(positions)
  })
})

describe('placeNewItem', () => {
  it('gives the best new one a place only where none has one', () => {
    const positions = Array.from({ length: 30 }, (_, i) => i)
    const { order: placedOrder, placed } = placeNewItem(positions, (position) => position >= 20)
    expect(placed).toBe(20)
    expect(placedOrder[NEW_ITEM_POSITION]).toBe(20)
    expect(placedOrder.filter((position) => position !== 20)).toEqual(positions.filter((position) => position !== 20))
    expect(placeNewItem(positions, (position) => position === 3)).toEqual({ order: positions, placed: null })
    expect(placeNewItem(positions, () => false)).toEqual({ order: positions, placed: null })
  })
})

import { expect, it } from 'vitest'
import { balanced } from '../../batch/ranker/choose.ts'
import type { Decision } from '../../batch/ranker/decisions.ts'

const asked = (kind: Decision['kind'], count: number): Decision[] =>
  Array.from({ length: count }, () => ({
    visitor: 0,
    kind,
    history: [],
    at: 0,
    next: new Set([1]),
    barred: new Set<number>(),
    country: '',
    position: 0,
    half: 0,
    validation: false,
  }))

/** Slates that are right for one kind of decision and wrong for all others. */
const rightFor = (kind: Decision['kind'], decisions: readonly Decision[]): number[][] =>
  decisions.map((decision) => [decision.kind === kind ? 1 : 2])

it('counts kinds alike, however many decisions of each there are', () => {
  const decisions = [...asked('step', 1000), ...asked('discovery', 100)]
  expect(balanced(decisions, rightFor('discovery', decisions))).toBe(1)
  expect(balanced(decisions, rightFor('step', decisions))).toBe(1)
})

it('does not let a handful of one kind outvote all others', () => {
  const decisions = [...asked('step', 5), ...asked('discovery', 1000)]
  expect(balanced(decisions, rightFor('discovery', decisions))).toBeGreaterThan(10 * balanced(decisions, rightFor('step', decisions)))
})

it('is nothing where nothing was asked', () => {
  expect(balanced([], [])).toBe(0)
})
